import { prngOf } from './prng.js'
import { edited, type Row, someRows } from './rows.js'
import type { World } from './world.js'

/** What is chosen for a run of real processes. */
export interface RealWorld extends World {
  realExecutions: RealExecution[]
  /** What another process ends meanwhile, which shares the ledger. */
  beside: Row[]
}

export interface RealExecution {
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
  const prng = prngOf(seed)
  const rows = someRows(prng, prng.one([10, 40, 80]))
  const limits = prng.often(0.5) ? [{ max: 40, perMs: 1000 }] : 'none'
  let current = rows
  const realExecutions = Array.from({ length: prng.between(1, 3) }, (): RealExecution => {
    const isEdited = prng.often(0.15)
    if (isEdited) current = edited(prng, current)
    return {
      what: prng.one([
        ...(['SIGKILL', 'SIGKILL', 'SIGTERM', 'SIGTERM, SIGKILL', 'SIGSTOP'] as const),
        ...(['pause', 'throttle', 'full disk'] as const),
      ]),
      atCall: prng.between(1, 30),
      thenMs: prng.between(0, 60),
      share: prng.one([0.2, 0.6]),
      fileMaxKib: prng.one([1, 4, 16, 64]),
      rows: isEdited ? current : null,
    }
  })
  return {
    seed,
    rows,
    held: rows.filter((id) => /^[0-9a-f]{24}$/.test(id) && prng.often(0.03)),
    settings: {
      limits,
      share: prng.one([1, 0.8]),
      concurrency: prng.one([2, 8]),
      timeoutMs: 10_000,
      attemptsMax: 5,
      maxOutageMs: 60_000,
    },
    api: {
      latencyMs: { min: 0, max: prng.one([2, 30, 150]) },
      errorRate: prng.one([0, 0, 0.05]),
      dropRate: prng.one([0, 0, 0.05]),
      outage: prng.often(0.2) ? { afterMs: prng.between(0, 300), forMs: 1500 } : null,
      retryAfter: prng.often(0.7),
      windowKind: prng.one(['sliding', 'fixed', 'bucket']),
      limits,
    },
    othersEveryMs: 0,
    syncMs: 0,
    executions: [],
    realExecutions,
    beside: Array.from({ length: prng.one([0, 0, 30]) }, (_, number) => `beside-${number}`),
  }
}
