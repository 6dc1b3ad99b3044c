import type { AdaOptions } from '../../src/sandbox/options.js'
import type { RateWindow } from '../../src/settings/limits.js'
import type { RunSettings } from '../../src/settings/run-settings.js'
import { type Prng, prngOf } from './prng.js'
import { edited, type Row, someRows } from './rows.js'

/** All that is chosen for one run from its seed: the input, the API, and what happens to each of its executions. */
export interface World {
  seed: number
  rows: Row[]
  held: string[]
  settings: Pick<
    RunSettings,
    'limits' | 'share' | 'concurrency' | 'timeoutMs' | 'attemptsMax' | 'maxOutageMs'
  >
  api: Pick<
    AdaOptions,
    'latencyMs' | 'errorRate' | 'dropRate' | 'outage' | 'retryAfter' | 'windowKind' | 'limits'
  >
  /** Others call the instance meanwhile, so often; 0: nobody. */
  othersEveryMs: number
  /** How long the disk takes to sync. */
  syncMs: number
  /** Before the last, in which nothing happens any more. */
  executions: Execution[]
}

/** One execution of the run, and what happens to it. */
export interface Execution {
  ending: Ending
  /** The input is edited before it begins. */
  rows: Row[] | null
  /** What is asked of the run before it begins. */
  throttle: number | null
  /** What is asked of it while it goes. */
  asked: { kind: 'pause' | 'throttle'; atMs: number; forMs: number; share: number } | null
  /** A proxy before the API answers every call with a 5xx for a while. */
  storm: { atMs: number; forMs: number } | null
  /** The process stands still for a while, or the clock on the wall is set. */
  mishap: { kind: 'freeze' | 'clock'; atMs: number; ms: number } | null
  /** Until somebody resumes the run. */
  thenMs: number
}

export type Ending =
  | { kind: 'none' }
  | { kind: 'kill' | 'power cut'; at: Instant; tornPart: number }
  /** Who has no patience kills it some time later. */
  | { kind: 'SIGTERM'; atMs: number; killedAfterMs: number | null }
  | { kind: 'broken disk'; atStep: number }
  /** From that step on, or from the first write to that file on. */
  | { kind: 'full disk'; at: { atStep: number } | { atFile: string } }
  | { kind: 'key refused'; atMs: number }
  | { kind: 'max items'; count: number }

/** A step of the disk, the arrival of a call, or a time since the execution began. */
export type Instant = { atStep: number } | { atCall: number } | { atMs: number }

export function worldOf(seed: number): World {
  const prng = prngOf(seed)
  const rows = someRows(prng, prng.one([3, 8, 20, 40, 60]))
  const windows = prng.often(0.6) ? prng.one(windowSets) : 'none'
  const isCalm = prng.often(0.3)
  const slowestMs = prng.one([1, 20, 200, 3000])
  const timeoutMs = prng.one([2000, 10_000, 30_000])
  let current = rows
  const executions = Array.from({ length: prng.between(0, 3) }, () => {
    const execution = executionOf(prng, current, isCalm)
    current = execution.rows ?? current
    return execution
  })
  return {
    seed,
    rows,
    held: rows.filter(() => prng.often(0.03)).filter((id) => /^[0-9a-f]{24}$/.test(id)),
    settings: {
      limits: windows,
      share: prng.one([1, 1, 0.8, 0.5]),
      concurrency: prng.one([1, 4, 16]),
      timeoutMs,
      attemptsMax: prng.one([1, 3, 5]),
      maxOutageMs: prng.one([20_000, 300_000]),
    },
    api: {
      // A call that is still on its way when it is given up could arrive at any time.
      latencyMs: {
        min: 0,
        max: isCalm ? Math.min(slowestMs, timeoutMs / 4) : Math.min(slowestMs, timeoutMs),
      },
      errorRate: isCalm ? 0 : prng.one([0, 0.05, 0.4]),
      dropRate: isCalm ? 0 : prng.one([0, 0.05, 0.3]),
      outage:
        isCalm || prng.often(0.7)
          ? null
          : { afterMs: prng.between(0, 3000), forMs: prng.one([1000, 20_000, 120_000]) },
      retryAfter: prng.often(0.7),
      windowKind: prng.one(['sliding', 'fixed', 'bucket']),
      limits: windows,
    },
    othersEveryMs: isCalm || windows === 'none' || prng.often(0.7) ? 0 : prng.between(20, 500),
    syncMs: prng.one([0, 0, 0, 10, 300]),
    executions,
  }
}

const windowSets: RateWindow[][] = [
  [
    { max: 30, perMs: 1000 },
    { max: 300, perMs: 60_000 },
  ],
  [{ max: 5, perMs: 1000 }],
  [
    { max: 10, perMs: 1000 },
    { max: 25, perMs: 20_000 },
  ],
]

function executionOf(prng: Prng, rows: readonly Row[], isCalm: boolean): Execution {
  return {
    ending: endingOf(prng),
    rows: prng.often(0.15) ? edited(prng, rows) : null,
    throttle: prng.often(0.1) ? prng.one([0.2, 0.6]) : null,
    asked: prng.often(0.2)
      ? {
          kind: prng.one(['pause', 'throttle']),
          atMs: prng.one([prng.between(0, 300), prng.between(0, 20_000)]),
          forMs: prng.one([300, 5000, 400_000]),
          share: prng.one([0.2, 0.6]),
        }
      : null,
    storm:
      isCalm || prng.often(0.8)
        ? null
        : { atMs: prng.between(0, 5000), forMs: prng.one([300, 5000, 60_000]) },
    mishap: prng.often(0.2)
      ? {
          kind: prng.one(['freeze', 'clock']),
          atMs: prng.between(0, 4000),
          ms: prng.one([500, 40_000, 4_000_000]) * prng.one([1, -1]),
        }
      : null,
    thenMs: prng.one([0, 100, 5000, 300_000]),
  }
}

/** What a run writes, by the end of the path. */
export const filesOfRun = [
  'run.json',
  'checkpoint.jsonl',
  'report.csv',
  'report.html',
  'summary.json',
  'live.json',
  '.input-ids',
  '.log',
]

function endingOf(prng: Prng): Ending {
  const kind = prng.one([
    'kill',
    'kill',
    'power cut',
    'SIGTERM',
    'full disk',
    'broken disk',
    'key refused',
    'max items',
  ] as const)
  const atMs = prng.one([prng.between(0, 300), prng.between(0, 20_000)])
  const atStep = prng.one([prng.between(1, 20), prng.between(1, 150)])
  switch (kind) {
    case 'kill':
    case 'power cut':
      return {
        kind,
        at: prng.one([{ atMs }, { atStep }, { atCall: prng.between(1, 40) }]),
        tornPart: prng.roll(),
      }
    case 'SIGTERM':
      return { kind, atMs, killedAfterMs: prng.often(0.3) ? prng.between(0, 5000) : null }
    case 'full disk':
      return { kind, at: prng.one([{ atStep }, { atFile: prng.one(filesOfRun) }]) }
    case 'broken disk':
      return { kind, atStep }
    case 'key refused':
      return { kind, atMs }
    case 'max items':
      return { kind, count: prng.between(1, 20) }
  }
}
