import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { peersIn } from './peers.js'
import type { Table } from './results.js'
import { ours, type Tool } from './tools.js'

/** How large a benchmark is: to see that it works, for the tables, and beyond. */
export type Size = 'quick' | 'full' | 'huge'

/** What a part of the benchmark works with. */
export interface World {
  size: Size
  /** Ours first. */
  tools: readonly Tool[]
  /** Empty, and gone when the part is over. */
  freshDirectory(): string
  /** What is under way, for those who wait. */
  say(text: string): void
}

/** Does one part, as a process of its own: `SIZE PEERS`; its tables go to stdout. */
export async function part(work: (world: World) => Promise<readonly Table[]>): Promise<void> {
  const [, , size, peers] = process.argv as [string, string, Size, string]
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))
  try {
    const tables = await work({
      size,
      tools: [ours, ...peersIn(peers)],
      freshDirectory: () => mkdtempSync(join(directory, 'world-')),
      say: (text) => console.error(`  ${text}`),
    })
    console.log(JSON.stringify(tables))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}
