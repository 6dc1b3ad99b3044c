/**
 * Thousands of runs under torture, most with simulated time, disk and network, some as real processes; then what
 * must hold of each is checked. `--minutes 5 --seed N --runs N --quick`. Exit code 3: something did not hold.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addCounts, countNames, type Counts, noCounts, type Played } from './counts.js'
import { playSimulated } from './simulated-run.js'

const { values } = parseArgs({
  options: { minutes: { type: 'string' }, seed: { type: 'string' }, runs: { type: 'string' }, quick: { type: 'boolean' } },
})
const total = noCounts()
const root = mkdtempSync(join(tmpdir(), 'ada-bulk-torture-'))
const first = Number(values.seed ?? 0)
let offended = 0
for (let seed = first; seed < first + Number(values.runs ?? 10); seed++) {
  const directory = join(root, String(seed))
  const t = performance.now()
  const { counts, offences } = await playSimulated(seed, directory)
  addCounts(total, counts)
  if (process.env.VERBOSE || offences.length) console.log(seed, Math.round(performance.now() - t), 'ms', counts.calls, counts.executions, offences)
  offended += offences.length
  if (!process.env.KEEP) rmSync(directory, { recursive: true, force: true })
}
console.log(total)
