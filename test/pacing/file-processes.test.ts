import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { startProcesses, windows } from './ledger-processes.js'

const lastsMs = 4500

it('the ledger in files holds every window for real processes that are killed and frozen at random', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-processes-'))
  const processes = await startProcesses(directory)
  let segment = 1
  /** As if a process were killed right after it sealed a segment. */
  const seal = () => {
    const ledgers = join(directory, 'ledger')
    const folder = join(ledgers, readdirSync(ledgers)[0]!)
    segment = Math.max(...readdirSync(folder).map(Number.parseFloat))
    appendFileSync(join(folder, `${segment}.log`), `\nseal test-${segment} 0 0 none 0 0 ;\n`)
  }
  const endMs = performance.now() + lastsMs
  while (performance.now() < endMs) await processes.torment(seal)
  await processes.stop()
  rmSync(directory, { recursive: true, force: true })

  processes.expectWindowsHeld()
  expect(segment).toBeGreaterThan(5)
  // The windows were filled, not only kept: this many would be possible without kills and freezes.
  const possible = (lastsMs / windows[1]!.perMs) * windows[1]!.max
  expect(processes.arrivals.length).toBeGreaterThan(possible / 3)
}, 20_000)
