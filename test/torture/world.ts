import type { AdaOptions } from '../../src/sandbox/options.js'
import type { RateWindow } from '../../src/settings/limits.js'
import type { RunSettings } from '../../src/settings/run-settings.js'
import { type Dice, diceOf } from './dice.js'
import { edited, type Row, someRows } from './rows.js'

/** All that is chosen for one run from its seed: the input, the API, and what happens to each of its lives. */
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
  lives: Life[]
}

/** One execution of the run, and what happens to it. */
export interface Life {
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

/** A step of the disk, the arrival of a call, or a time since the life began. */
export type Instant = { atStep: number } | { atCall: number } | { atMs: number }

export function worldOf(seed: number): World {
  const dice = diceOf(seed)
  const rows = someRows(dice, dice.one([3, 8, 20, 40, 60]))
  const windows = dice.often(0.6) ? dice.one(windowSets) : 'none'
  const isCalm = dice.often(0.3)
  const slowestMs = dice.one([1, 20, 200, 3000])
  const timeoutMs = dice.one([2000, 10_000, 30_000])
  let current = rows
  const lives = Array.from({ length: dice.between(0, 3) }, () => {
    const life = lifeOf(dice, current, isCalm)
    current = life.rows ?? current
    return life
  })
  return {
    seed,
    rows,
    held: rows.filter(() => dice.often(0.03)).filter((id) => /^[0-9a-f]{24}$/.test(id)),
    settings: {
      limits: windows,
      share: dice.one([1, 1, 0.8, 0.5]),
      concurrency: dice.one([1, 4, 16]),
      timeoutMs,
      attemptsMax: dice.one([1, 3, 5]),
      maxOutageMs: dice.one([20_000, 300_000]),
    },
    api: {
      // A call that is still on its way when it is given up could arrive at any time.
      latencyMs: {
        min: 0,
        max: isCalm ? Math.min(slowestMs, timeoutMs / 4) : Math.min(slowestMs, timeoutMs),
      },
      errorRate: isCalm ? 0 : dice.one([0, 0.05, 0.4]),
      dropRate: isCalm ? 0 : dice.one([0, 0.05, 0.3]),
      outage:
        isCalm || dice.often(0.7)
          ? null
          : { afterMs: dice.between(0, 3000), forMs: dice.one([1000, 20_000, 120_000]) },
      retryAfter: dice.often(0.7),
      windowKind: dice.one(['sliding', 'fixed', 'bucket']),
      limits: windows,
    },
    othersEveryMs: isCalm || windows === 'none' || dice.often(0.7) ? 0 : dice.between(20, 500),
    syncMs: dice.one([0, 0, 0, 10, 300]),
    lives,
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

function lifeOf(dice: Dice, rows: readonly Row[], isCalm: boolean): Life {
  return {
    ending: endingOf(dice),
    rows: dice.often(0.15) ? edited(dice, rows) : null,
    throttle: dice.often(0.1) ? dice.one([0.2, 0.6]) : null,
    asked: dice.often(0.2)
      ? {
          kind: dice.one(['pause', 'throttle']),
          atMs: dice.one([dice.between(0, 300), dice.between(0, 20_000)]),
          forMs: dice.one([300, 5000, 400_000]),
          share: dice.one([0.2, 0.6]),
        }
      : null,
    storm:
      isCalm || dice.often(0.8)
        ? null
        : { atMs: dice.between(0, 5000), forMs: dice.one([300, 5000, 60_000]) },
    mishap: dice.often(0.2)
      ? {
          kind: dice.one(['freeze', 'clock']),
          atMs: dice.between(0, 4000),
          ms: dice.one([500, 40_000, 4_000_000]) * dice.one([1, -1]),
        }
      : null,
    thenMs: dice.one([0, 100, 5000, 300_000]),
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

function endingOf(dice: Dice): Ending {
  const kind = dice.one([
    'kill',
    'kill',
    'power cut',
    'SIGTERM',
    'full disk',
    'broken disk',
    'key refused',
    'max items',
  ] as const)
  const atMs = dice.one([dice.between(0, 300), dice.between(0, 20_000)])
  const atStep = dice.one([dice.between(1, 20), dice.between(1, 150)])
  switch (kind) {
    case 'kill':
    case 'power cut':
      return {
        kind,
        at: dice.one([{ atMs }, { atStep }, { atCall: dice.between(1, 40) }]),
        tornPart: dice.roll(),
      }
    case 'SIGTERM':
      return { kind, atMs, killedAfterMs: dice.often(0.3) ? dice.between(0, 5000) : null }
    case 'full disk':
      return { kind, at: dice.one([{ atStep }, { atFile: dice.one(filesOfRun) }]) }
    case 'broken disk':
      return { kind, atStep }
    case 'key refused':
      return { kind, atMs }
    case 'max items':
      return { kind, count: dice.between(1, 20) }
  }
}
