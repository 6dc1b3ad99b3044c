import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Item } from '../../src/item.js'
import { openInput } from '../../src/sources/input.js'
import { readItems } from '../../src/sources/items.js'

/** An item as it comes out of a source, with this record. */
export function itemOf(record: Record<string, unknown>, id = '66f2a91c4be07d3f5c1e0001'): Item {
  return { ordinal: 0, id, source: 'stale.csv', line: 2, record: () => record }
}

/** The items of a file with this text, as a run reads them. */
export async function itemsIn(text: string): Promise<Item[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-filters-'))
  try {
    const path = join(directory, 'input')
    writeFileSync(path, text)
    const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
    const items: Item[] = []
    for await (const batch of readItems(await openInput([{ name: 'input', path }], settings)))
      items.push(...batch.map(({ item }) => item))
    return items
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

/** `filtered not_stale`, or `take`. */
export function wordOf(refusal: { status: string; reason: string } | null): string {
  return refusal === null ? 'take' : `${refusal.status} ${refusal.reason}`
}
