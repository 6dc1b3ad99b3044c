/** What has happened in some runs. */
export interface Counts {
  runs: number
  executions: number
  calls: number
  kills: number
  powerCuts: number
  stops: number
  rateLimited: number
  serverErrors: number
  resets: number
  timeouts: number
  refusedKeys: number
  editedInputs: number
  fullDisks: number
  brokenDisks: number
  freezes: number
  clockJumps: number
  throttles: number
  pauses: number
}

export function noCounts(): Counts {
  return {
    runs: 0,
    executions: 0,
    calls: 0,
    kills: 0,
    powerCuts: 0,
    stops: 0,
    rateLimited: 0,
    serverErrors: 0,
    resets: 0,
    timeouts: 0,
    refusedKeys: 0,
    editedInputs: 0,
    fullDisks: 0,
    brokenDisks: 0,
    freezes: 0,
    clockJumps: 0,
    throttles: 0,
    pauses: 0,
  }
}

export function addCounts(to: Counts, more: Counts): void {
  for (const name of Object.keys(to) as (keyof Counts)[]) to[name] += more[name]
}

/** What came of one run. */
export interface Played {
  seed: number
  counts: Counts
  offences: string[]
}

export const countNames: Record<keyof Counts, string> = {
  runs: 'runs',
  executions: 'executions of them',
  calls: 'calls',
  kills: 'killed (kill -9)',
  powerCuts: 'power cuts',
  stops: 'stopped in order',
  rateLimited: 'answers 429',
  serverErrors: 'answers 5xx, in storms and outages too',
  resets: 'connections reset, answers lost or cut in half',
  timeouts: 'calls without an answer in time',
  refusedKeys: 'keys refused',
  editedInputs: 'inputs edited in between',
  fullDisks: 'full disks',
  brokenDisks: 'disks that fail',
  freezes: 'processes that stood still',
  clockJumps: 'clocks set',
  throttles: 'throttled from outside',
  pauses: 'paused from outside',
}
