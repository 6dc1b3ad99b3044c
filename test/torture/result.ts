import { cpus } from 'node:os'
import { invariants } from './invariants.js'

/** What has happened in some runs, as the table says it. */
export const countNames = {
  runs: 'runs',
  realRuns: 'of them of real processes',
  executions: 'executions of runs',
  sideBySide: 'of them beside another process that calls the same instance',
  calls: 'calls',
  kills: 'kill -9',
  killsAfterStop: 'kill -9 after a SIGTERM',
  powerCuts: 'power cut',
  stops: 'SIGTERM',
  rateLimited: 'answer 429',
  serverErrors: 'answer 5xx',
  storms: 'storm of 5xx',
  outages: 'outage',
  resets: 'connection reset before the call had its effect',
  lostAnswers: 'answer lost',
  halfAnswers: 'half an answer',
  unreachable: 'no connection',
  timeouts: 'no answer in time',
  refusedKeys: 'key refused',
  editedInputs: 'input edited between two executions',
  fullDisks: 'disk full',
  brokenDisks: 'disk fails to sync',
  freezes: 'process stands still for a while',
  clockJumps: 'clock set',
  throttles: 'throttled from outside',
  pauses: 'paused from outside, and continued',
}

export type CountName = keyof typeof countNames

/** With the files that were being written when the disk was full. */
export type Counts = Record<CountName, number> & { fullAt: Record<string, number> }

export const allCounts = Object.keys(countNames) as CountName[]

export function noCounts(): Counts {
  const none = Object.fromEntries(allCounts.map((name) => [name, 0])) as Record<CountName, number>
  return { ...none, fullAt: {} }
}

export function addCounts(to: Counts, more: Counts): void {
  for (const name of allCounts) to[name] += more[name]
  for (const [file, times] of Object.entries(more.fullAt)) to.fullAt[file] = (to.fullAt[file] ?? 0) + times
}

/** What came of one run. */
export interface Played {
  seed: number
  counts: Counts
  offences: string[]
}

export const comesToItsEnd = 'a run comes to its end without a bug'

/** What is said of many runs, as Markdown. */
export function resultOf(total: Counts, failed: readonly Played[], beginning: string): string {
  const day = new Date().toISOString().slice(0, 10)
  const machine = `${day}, ${cpus().length} cores (${cpus()[0]?.model.trim()}), Node ${process.version}`
  const happened = allCounts.map((name) => [countNames[name], total[name]] as const)
  const files = Object.entries(total.fullAt).sort(([, one], [, other]) => other - one)
  const full = files.map(([file, times]) => [`disk full when ${file} is written`, times] as const)
  const held = [...Object.keys(invariants), comesToItsEnd].map((name) => {
    const offending = failed.filter(({ offences }) => offences.some((one) => one.startsWith(`${name}: `)))
    return [name, offending.length] as const
  })
  return [
    `${machine}, ${beginning}.\n`,
    tableOf('what happened', 'times', [...happened, ...full]),
    tableOf('what was checked after each run', 'runs in which it did not hold', held),
  ].join('\n')
}

function tableOf(what: string, times: string, rows: readonly (readonly [string, number])[]): string {
  const lines = rows.map(([name, count]) => `| ${name} | ${count.toLocaleString('en-US')} |`)
  return `| ${what} | ${times} |\n| --- | ---: |\n${lines.join('\n')}\n`
}

/** What is said of a run that was not right. */
export function complaintOf({ seed, offences }: Played): string {
  return [
    `Seed ${seed}:`,
    ...offences.map((offence) => `  ${offence}`),
    `  The same again: npm run torture -- --seed ${seed} --runs 1\n`,
  ].join('\n')
}
