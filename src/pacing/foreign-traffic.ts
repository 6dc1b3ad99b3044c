import type { Quota, RateWindow } from '../settings/limits.js'

/** What is known about our own calls when an answer comes. */
export interface OwnCalls {
  /** Calls of ours in each window when this call took its place, itself included. */
  onRecord: readonly number[]
  /** Places of ours that were taken since then. */
  takenSince: number
}

/**
 * How many calls others make to the instance, judged by `X-RateLimit-Remaining`: what the API has counted and we
 * have not made is theirs. Nobody knows which window the headers describe, so they are taken for the window whose
 * limit they name. Whatever kind of window it is, the API has counted at most what came in the last `perMs`; so the
 * judgement is too low rather than too high, and the highest one counts for the next two windows.
 */
export class ForeignTraffic {
  readonly #windows: readonly RateWindow[]
  readonly #peaks: Peak[][]

  constructor(windows: readonly RateWindow[]) {
    this.#windows = windows
    this.#peaks = windows.map(() => [])
  }

  note({ limit, remaining }: Quota, own: OwnCalls, nowMs: number): void {
    if (limit === null || remaining === null) return
    const index = this.#windows.findIndex(({ max }) => max === limit)
    if (index === -1) return
    const ours = own.onRecord[index]! + own.takenSince
    const calls = limit - remaining - ours - countingError
    const peaks = this.#peaks[index]!
    // Only a lower peak that is later can ever count.
    while (peaks.length > 0 && peaks.at(-1)!.calls <= calls) peaks.pop()
    if (calls > 0) peaks.push({ calls, atMs: nowMs })
  }

  /** The most calls of others that were seen in each window of late. */
  callsInWindows(nowMs: number): number[] {
    return this.#windows.map(({ perMs }, index) => {
      const peaks = this.#peaks[index]!
      while (peaks.length > 0 && peaks[0]!.atMs <= nowMs - 2 * perMs) peaks.shift()
      return peaks[0]?.calls ?? 0
    })
  }
}

interface Peak {
  calls: number
  atMs: number
}

/** The API may count the call that it answers, or not yet. */
const countingError = 1
