import type { RateWindow } from '../settings/limits.js'

/** Calls that ended stay on record this long at least, for callers with longer windows than anybody before. */
const keepMsMin = 5 * 60_000

/**
 * All calls to one instance that may still fill somebody's window, as times of one monotonic clock. Both the
 * ledger in memory and the one in files count with it.
 *
 * Calls that ended are a sorted list of times, so a window is counted by one binary search; the few in flight
 * are counted as they are.
 */
export class CallsOnRecord {
  /** By token: when the call counts as answered at the latest. */
  readonly #inFlight = new Map<string, number>()
  /** When calls ended, ascending. */
  readonly #ended: number[] = []
  /** Longest window of takers: when it was last named. It says how long ended calls have to stay. */
  readonly #windowsNamed = new Map<number, number>()
  #closedUntilMs = Number.NEGATIVE_INFINITY
  #taken: number

  constructor(taken = 0) {
    this.#taken = taken
  }

  get size(): number {
    return this.#inFlight.size + this.#ended.length
  }

  /** How many places were taken, as far as that is known here. */
  get taken(): number {
    return this.#taken
  }

  take(token: string, holdUntilMs: number): void {
    this.#taken++
    this.#inFlight.set(token, holdUntilMs)
  }

  /** The token may be unknown: its hold has passed, or only the end of the call was worth keeping. */
  end(token: string, endedAtMs: number): void {
    this.#inFlight.delete(token)
    let index = this.#ended.length
    while (index > 0 && this.#ended[index - 1]! > endedAtMs) index--
    this.#ended.splice(index, 0, endedAtMs)
  }

  release(token: string): void {
    this.#inFlight.delete(token)
  }

  closeUntil(atMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, atMs)
  }

  /** Somebody counts with a window this long. */
  nameWindow(perMs: number, atMs: number): void {
    if (perMs > keepMsMin)
      this.#windowsNamed.set(perMs, Math.max(atMs, this.#windowsNamed.get(perMs) ?? atMs))
  }

  /** Why there is no place now, and how long it takes at least until there may be one; null when there is room. */
  obstacle(windows: readonly RateWindow[], nowMs: number): Obstacle | null {
    this.#forgetDead(nowMs)
    if (this.#closedUntilMs > nowMs)
      return { waitMs: atLeastOne(this.#closedUntilMs - nowMs), fullWindow: null }
    let obstacle: Obstacle | null = null
    for (const window of windows) {
      const first = firstAfter(this.#ended, nowMs - window.perMs)
      const missing = this.#count(first) - window.max + 1
      if (missing <= 0) continue
      // A call in flight can't come back before a whole window from now.
      const endedAtMs = this.#ended[first + missing - 1] ?? nowMs
      const waitMs = atLeastOne(endedAtMs + window.perMs - nowMs)
      if (!obstacle || waitMs > obstacle.waitMs) obstacle = { waitMs, fullWindow: window }
    }
    return obstacle
  }

  /** Calls that count in each window. */
  counts(windows: readonly RateWindow[], nowMs: number): number[] {
    return windows.map(({ perMs }) => this.#count(firstAfter(this.#ended, nowMs - perMs)))
  }

  /** All that still counts, to be written down elsewhere. */
  snapshot(nowMs: number): Snapshot {
    this.#forgetDead(nowMs)
    return {
      inFlight: [...this.#inFlight],
      ended: [...this.#ended],
      windowsNamed: [...this.#windowsNamed],
      closedUntilMs: this.#closedUntilMs > nowMs ? this.#closedUntilMs : null,
    }
  }

  /** Of ended calls those from an index on. */
  #count(firstEnded: number): number {
    return this.#ended.length - firstEnded + this.#inFlight.size
  }

  #forgetDead(nowMs: number): void {
    for (const [token, holdUntilMs] of this.#inFlight) {
      if (holdUntilMs <= nowMs) this.end(token, holdUntilMs)
    }
    let keepMs = keepMsMin
    for (const [perMs, namedAtMs] of this.#windowsNamed) {
      if (namedAtMs + perMs <= nowMs) this.#windowsNamed.delete(perMs)
      else keepMs = Math.max(keepMs, perMs)
    }
    const dead = firstAfter(this.#ended, nowMs - keepMs)
    // Cutting off the front moves all the rest, so it waits until that is worth it.
    if (dead > 100 && dead * 4 > this.#ended.length) this.#ended.splice(0, dead)
  }
}

export interface Obstacle {
  waitMs: number
  fullWindow: RateWindow | null
}

export interface Snapshot {
  inFlight: [token: string, holdUntilMs: number][]
  ended: number[]
  windowsNamed: [perMs: number, namedAtMs: number][]
  closedUntilMs: number | null
}

const atLeastOne = (ms: number) => Math.max(1, ms)

/** Index of the first number greater than `limit` in an ascending list. */
function firstAfter(ascending: readonly number[], limit: number): number {
  let low = 0
  let high = ascending.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (ascending[middle]! > limit) high = middle
    else low = middle + 1
  }
  return low
}
