import { diceOf } from './dice.js'
import { edited, type Row, someRows } from './rows.js'
import type { World } from './world.js'

/** What is chosen for a run of real processes. */
export interface RealWorld extends World {
  realLives: RealLife[]
}

export interface RealLife {
  what: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'pause' | 'throttle' | 'full disk' | 'none'
  /** At the arrival of so many calls, and so long after. */
  atCall: number
  thenMs: number
  share: number
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
      what: dice.one(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGSTOP', 'pause', 'throttle', 'full disk']),
      atCall: dice.between(1, 30),
      thenMs: dice.between(0, 60),
      share: dice.one([0.2, 0.6]),
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
  }
}
