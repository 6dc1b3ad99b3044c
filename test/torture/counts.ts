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
