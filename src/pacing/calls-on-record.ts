import type { RateWindow } from '../settings/limits.js'

/** Calls that ended stay on record this long at least, for callers with longer windows than any before. */
const keepMsMin = 5 * 60_000

/**
 * All calls to one instance that may still fill a window, as times of one monotonic clock. The ledgers in memory and
 * in files count with it.
 *
 * Calls that ended are a sorted list of times, so one binary search counts a window; the few in flight are counted as
 * they are.
 */
export class CallsOnRecord {
  /** By token: when the call counts as answered at the latest. */
  readonly #inFlight = new Map<string, number>()
  /** When calls ended, ascending. */
  readonly #ended: number[] = []
  /** By length of a long window: when a caller last counted with it. It says how long ended calls have to stay. */
  readonly #windowsNamed = new Map<number, number>()
  #blockedUntilMs = -Infinity
  #taken = 0

  /** How many slots were taken, as far as is known here. */
  get taken(): number {
    return this.#taken
  }

  take(token: string, holdUntilMs: number): void {
    this.#taken++
    this.#inFlight.set(token, holdUntilMs)
  }

  /** The token may be unknown: its hold has passed, or only the end of the call is still on record. */
  end(token: string, endedAtMs: number): void {
    this.#inFlight.delete(token)
    let index = this.#ended.length
    while (index > 0 && this.#ended[index - 1]! > endedAtMs) index--
    this.#ended.splice(index, 0, endedAtMs)
  }

  release(token: string): void {
    this.#inFlight.delete(token)
  }

  blockUntil(atMs: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, atMs)
  }

  /** A caller counts with a window this long. */
  nameWindow(perMs: number, atMs: number): void {
    if (perMs > keepMsMin)
      this.#windowsNamed.set(perMs, Math.max(atMs, this.#windowsNamed.get(perMs) ?? atMs))
  }

  /** Why there is no slot now, and how long it takes at least until there may be one; null when there is room. */
  obstacle(windows: readonly RateWindow[], nowMs: number): Obstacle | null {
    this.#forgetDead(nowMs)
    if (this.#blockedUntilMs > nowMs)
      return { waitMs: atLeastOne(this.#blockedUntilMs - nowMs), fullWindow: null }
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

  /** How long ago calls ended, the oldest first; those in flight, just now. */
  agoMs(nowMs: number): number[] {
    this.#forgetDead(nowMs)
    const ended = this.#ended.map((endedAtMs) => Math.max(0, nowMs - endedAtMs))
    return [...ended, ...Array.from(this.#inFlight, () => 0)]
  }

  /** How long ended calls have to stay on record. */
  keepMs(nowMs: number): number {
    let keepMs = keepMsMin
    for (const [perMs, namedAtMs] of this.#windowsNamed) {
      if (namedAtMs + perMs <= nowMs) this.#windowsNamed.delete(perMs)
      else keepMs = Math.max(keepMs, perMs)
    }
    return keepMs
  }

  /** Calls in flight, and those that ended from an index on. */
  #count(firstEnded: number): number {
    return this.#ended.length - firstEnded + this.#inFlight.size
  }

  #forgetDead(nowMs: number): void {
    for (const [token, holdUntilMs] of this.#inFlight) {
      if (holdUntilMs <= nowMs) this.end(token, holdUntilMs)
    }
    const dead = firstAfter(this.#ended, nowMs - this.keepMs(nowMs))
    // Cutting off the front moves all the rest, so it waits until that is worth it.
    if (dead > 100 && dead * 4 > this.#ended.length) this.#ended.splice(0, dead)
  }
}

export interface Obstacle {
  waitMs: number
  fullWindow: RateWindow | null
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
