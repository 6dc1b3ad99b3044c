import { diceOf } from './dice.js'
import { edited, type Row, someRows } from './rows.js'
import type { World } from './world.js'

/** What is chosen for a run of real processes. */
export interface RealWorld extends World {
  realLives: RealLife[]
  /** What another process ends meanwhile, which shares the ledger. */
  beside: Row[]
}

export interface RealLife {
  what: 'SIGKILL' | 'SIGTERM' | 'SIGTERM, SIGKILL' | 'SIGSTOP' | 'pause' | 'throttle' | 'full disk' | 'none'
  /** At the arrival of so many calls, and so long after. */
  atCall: number
  thenMs: number
  share: number
  /** The longest file that it may write, in KiB. */
  fileMaxKib: number
  rows: Row[] | null
}

export function realWorldOf(seed: number): RealWorld {
  const dice = diceOf(seed)
  const rows = someRows(dice, dice.one([10, 40, 80]))
  const limits = dice.often(0.5) ? [{ max: 40, perMs: 1000 }] : 'none'
  let current = rows
  const realLives = Array.from({ length: dice.between(1, 3) }, (): RealLife => {
    const isEdited = dice.often(0.15)
    if (isEdited) current = edited(dice, current)
    return {
      what: dice.one([
        ...(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGTERM, SIGKILL', 'SIGSTOP'] as const),
        ...(['pause', 'throttle', 'full disk'] as const),
      ]),
      atCall: dice.between(1, 30),
      thenMs: dice.between(0, 60),
      share: dice.one([0.2, 0.6]),
      fileMaxKib: dice.one([1, 4, 16, 64]),
      rows: isEdited ? current : null,
    }
  })
  return {
    seed,
    rows,
    held: rows.filter((id) => /^[0-9a-f]{24}$/.test(id) && dice.often(0.03)),
    settings: {
      limits,
      share: dice.one([1, 0.8]),
      concurrency: dice.one([2, 8]),
      timeoutMs: 10_000,
      attemptsMax: 5,
      maxOutageMs: 60_000,
    },
    api: {
      latencyMs: { min: 0, max: dice.one([2, 30, 150]) },
      errorRate: dice.one([0, 0, 0.05]),
      dropRate: dice.one([0, 0, 0.05]),
      outage: dice.often(0.2) ? { afterMs: dice.between(0, 300), forMs: 1500 } : null,
      retryAfter: dice.often(0.7),
      windowKind: dice.one(['sliding', 'fixed', 'bucket']),
      limits,
    },
    othersEveryMs: 0,
    syncMs: 0,
    lives: [],
    realLives,
    beside: Array.from({ length: dice.one([0, 0, 30]) }, (_, number) => `beside-${number}`),
  }
}
