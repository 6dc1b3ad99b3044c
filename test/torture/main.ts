/**
 * Runs under torture: most with simulated time, disk and network, beside them real processes; then what must
 * hold of each is checked. `--minutes 5`, `--seed N` and `--runs N` (the same again), `--quick` (20 seconds),
 * `--write` puts the tables into the README. Exit code 3: something did not hold.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { withResults } from '../bench/results.js'
import { type Asked, playAll } from './lanes.js'
import { addCounts, complaintOf, noCounts, type Played, resultOf } from './result.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    quick: { type: 'boolean' },
    write: { type: 'boolean' },
  },
})

const numberOf = (name: 'minutes' | 'seed' | 'runs') => {
  const number = values[name] === undefined ? undefined : Number(values[name])
  if (number === undefined || (number >= 0 && (name === 'minutes' || Number.isInteger(number)))) return number
  console.error(`--${name} ${values[name]} is no number.`)
  process.exit(2)
}

const minutes = numberOf('minutes') ?? (values.quick ? 1 / 3 : 5)
const runs = numberOf('runs')
const startedMs = Date.now()
const asked: Asked = {
  first: numberOf('seed') ?? startedMs % 1_000_000_000,
  runs: runs ?? Number.POSITIVE_INFINITY,
  // Who names a number of runs wants them all.
  endMs: runs === undefined ? startedMs + minutes * 60_000 : Number.POSITIVE_INFINITY,
}

const total = noCounts()
const failed: Played[] = []
let last = asked.first
const minutesSince = () => ((Date.now() - startedMs) / 60_000).toFixed(1)
const progress = setInterval(() => {
  const of = runs === undefined ? ` of ${minutes.toFixed(1)} minutes` : ' minutes'
  console.error(
    `  ${minutesSince()}${of}: ${total.runs} runs, ${total.calls} calls; not right: ${failed.length}`,
  )
}, 10_000)

await playAll(asked, (played) => {
  addCounts(total, played.counts)
  last = Math.max(last, played.seed)
  if (played.offences.length === 0) return
  failed.push(played)
  console.log(complaintOf(played))
})
clearInterval(progress)

const result = resultOf(total, failed, `${minutesSince()} minutes, seeds ${asked.first} to ${last}`)
console.log(result)
if (values.write)
  writeFileSync('README.md', withResults(readFileSync('README.md', 'utf8'), result, 'torture'))
process.exitCode = failed.length > 0 ? 3 : 0
