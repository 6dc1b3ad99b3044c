/**
 * Runs under torture: most with simulated time, disk and network, one in twenty as real processes; then what must
 * hold of each is checked. `--minutes 5`, `--seed N` and `--runs N` (the same choices again), `--quick` (20 seconds).
 * Exit code 3: something did not hold.
 */
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { addCounts, type Counts, countNames, noCounts, type Played } from './counts.js'
import { invariants } from './invariants.js'
import { playReal } from './real-run.js'
import { playSimulated } from './simulated-run.js'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    quick: { type: 'boolean', default: false },
    // A lane plays every nth seed; the others are played elsewhere.
    lane: { type: 'string', default: '' },
  },
})

/** One in so many is played by real processes. */
const realEvery = 20
const isReal = (seed: number) => seed % realEvery === 0
const first = Number(values.seed ?? Date.now() % 1_000_000_000)
const runs = Number(values.runs ?? Number.POSITIVE_INFINITY)
const endMs = Date.now() + (values.quick ? 20_000 : Number(values.minutes) * 60_000)

/** Plays the seeds of a lane until there are no more, or the time is over. */
async function play(isMine: (seed: number) => boolean, tell: (played: Played) => void): Promise<void> {
  const root = mkdtempSync(join(tmpdir(), 'ada-bulk-torture-'))
  try {
    for (
      let seed = first;
      seed < first + runs && (runs < Number.POSITIVE_INFINITY || Date.now() < endMs);
      seed++
    ) {
      if (!isMine(seed)) continue
      const directory = join(root, String(seed))
      tell(await (isReal(seed) ? playReal : playSimulated)(seed, directory))
      rmSync(directory, { recursive: true, force: true })
    }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Simulated runs watch all that their process does, so each lane is a process. */
async function playAll(tell: (played: Played) => void): Promise<void> {
  const lanes = Math.max(1, availableParallelism() - 1)
  const children = Array.from({ length: Math.min(lanes, runs) }, (_, lane) => {
    const minutes = String((endMs - Date.now()) / 60_000)
    const args = ['--minutes', minutes, '--seed', String(first), '--lane', `${lane}/${lanes}`]
    if (values.runs !== undefined) args.push('--runs', values.runs)
    const child = fork('node_modules/jiti/lib/jiti-cli.mjs', ['test/torture/main.ts', ...args])
    child.on('message', (played) => tell(played as Played))
    return new Promise<void>((resolve, reject) => {
      child.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a lane ended with ${code}`))))
    })
  })
  await Promise.all([...children, play(isReal, tell)])
}

if (values.lane) {
  const [lane, lanes] = values.lane.split('/').map(Number) as [number, number]
  await play(
    (seed) => !isReal(seed) && seed % lanes === lane,
    (played) => process.send!(played),
  )
} else {
  const total = noCounts()
  const failed: Played[] = []
  await playAll((played) => {
    addCounts(total, played.counts)
    if (played.offences.length === 0) return
    failed.push(played)
    console.log(`Seed ${played.seed}:\n${played.offences.map((offence) => `  ${offence}\n`).join('')}`)
    console.log(`  The same choices again: npm run torture -- --seed ${played.seed} --runs 1\n`)
  })
  console.log(`Seeds from ${first} on. What happened:`)
  for (const name of Object.keys(countNames) as (keyof Counts)[]) {
    console.log(`${String(total[name]).padStart(9)}  ${countNames[name]}`)
  }
  console.log('What did not hold:')
  for (const name of [...Object.keys(invariants), 'a run comes to its end without a bug']) {
    const times = failed.filter(({ offences }) =>
      offences.some((offence) => offence.startsWith(`${name}: `)),
    ).length
    console.log(`${String(times).padStart(9)}  ${name}`)
  }
  process.exitCode = failed.length > 0 ? 3 : 0
}
