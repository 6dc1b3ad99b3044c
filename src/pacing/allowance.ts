import type { Quota, RateWindow } from '../settings/limits.js'
import { type Share, shareAt } from '../settings/share.js'
import type { Clock } from '../system/clock.js'

/** What calls are held to. */
export interface PaceSettings {
  /** The API's own windows. */
  limits: readonly RateWindow[] | 'none'
  /** Windows of a person's own, on top and taken as they are: they can only slow a run. */
  caps: readonly RateWindow[]
  share: Share
}

/** All windows that hold at a moment, the API's first. */
export function allowedWindows({ limits, caps, share }: PaceSettings, atMs: number): RateWindow[] {
  return [...(limits === 'none' ? [] : sharedWindows(limits, shareAt(share, new Date(atMs)))), ...caps]
}

/**
 * How much of each of the API's windows we allow ourselves at the moment: our share, less what others use beyond the
 * part that is left to them, and less again for a while after a 429.
 */
export class Allowance {
  readonly #windows: readonly RateWindow[]
  readonly #clock: Clock
  readonly #external: ExternalUsage
  readonly #longestBurstMs: number
  #share: Share
  #yielding = notYielding

  constructor(windows: readonly RateWindow[], share: Share, clock: Clock) {
    this.#windows = windows
    this.#share = share
    this.#clock = clock
    this.#external = new ExternalUsage(windows)
    this.#longestBurstMs = Math.min(60_000, Math.max(0, ...windows.map(({ perMs }) => perMs)))
  }

  set share(share: Share) {
    this.#share = share
  }

  get #shareNow(): number {
    return shareAt(this.#share, new Date(this.#clock.wallMs()))
  }

  /** In the order of the API's windows. */
  windows(): RateWindow[] {
    const nowMs = this.#clock.monotonicMs()
    const shared = sharedWindows(this.#windows, this.#shareNow, factorAt(this.#yielding, nowMs))
    const external = this.#external.callsInWindows(nowMs)
    return shared.map(({ max, perMs }, index) => {
      const room = roomBeside(external[index]!, this.#windows[index]!.max, this.#shareNow)
      return { max: Math.min(max, room), perMs }
    })
  }

  /** Whether a window is smaller than our share of it now. */
  isYielding({ max, perMs }: RateWindow): boolean {
    return sharedWindows(this.#windows, this.#shareNow).some((own) => own.perMs === perMs && own.max > max)
  }

  /** A 429 came though our windows had room: others use the quota. */
  rateLimited(): void {
    this.#yielding = yieldAfter429(this.#yielding, this.#clock.monotonicMs(), this.#longestBurstMs)
  }

  /** `ours` are our own calls in each window that the API may have counted. */
  answered(quota: Quota, ours: readonly number[]): void {
    this.#external.note(quota, ours, this.#clock.monotonicMs())
  }

  /** Headers about a window that we do not have: its quota counts as used up when only the part of others is left. */
  withinShare(quota: Quota): Quota {
    const { limit, remaining } = quota
    if (limit === null || remaining === null || this.#windows.some(({ max }) => max === limit)) return quota
    return remaining > Math.ceil(limit * (1 - this.#shareNow)) ? quota : { ...quota, remaining: 0 }
  }
}

/** The windows as far as we allow ourselves to use them; at least one call each. */
export function sharedWindows(windows: readonly RateWindow[], share: number, factor = 1): RateWindow[] {
  return windows.map(({ max, perMs }) => ({ max: atLeastOneCall(max * share * factor), perMs }))
}

/** In floating point 300 × 0.8 × 0.7 is 167.99999999999997. */
const atLeastOneCall = (calls: number) => Math.max(1, Math.floor(Number(calls.toFixed(6))))

/** How far we yield to others who use the API's limits. */
export interface Yielding {
  /** What is left of our share right after the last 429. */
  factor: number
  rateLimitedAtMs: number
  loweredAtMs: number
}

export const notYielding: Yielding = { factor: 1, rateLimitedAtMs: -Infinity, loweredAtMs: -Infinity }

const lowestFactor = 0.25
const lowering = 0.7
const recovery = 0.05
const recoveryEveryMs = 30_000

/** What is left of our share now: a little comes back with every half minute without a 429. */
export function factorAt(state: Yielding, nowMs: number): number {
  if (state.factor === 1) return 1
  const steps = Math.floor((nowMs - state.rateLimitedAtMs) / recoveryEveryMs)
  return Math.min(1, state.factor + steps * recovery)
}

/** A burst of 429 lowers the factor once, hence `onceInMs`. */
export function yieldAfter429(state: Yielding, nowMs: number, onceInMs: number): Yielding {
  const factor = factorAt(state, nowMs)
  if (nowMs - state.loweredAtMs < onceInMs) return { ...state, factor, rateLimitedAtMs: nowMs }
  return { factor: Math.max(lowestFactor, factor * lowering), rateLimitedAtMs: nowMs, loweredAtMs: nowMs }
}

/** Usage of others may grow before the API reports it, so half as much again is left to them. */
const growth = 1.5
/** A run keeps this part of its share, whatever others use. */
const leastRatio = 0.05

/** What is left of a window of the API beside others. Up to `1 − share` is theirs anyway. */
export function roomBeside(externalCalls: number, max: number, share: number): number {
  const beyond = Math.max(0, externalCalls - max * (1 - share))
  return atLeastOneCall(Math.max(max * share - beyond * growth, max * share * leastRatio))
}

/**
 * How many calls others make to the instance, estimated from `X-RateLimit-Remaining`: what the API has counted beyond
 * our own calls. The headers do not name their window, so they count for the window with the same limit. Whatever
 * kind of window it is, the API has counted at most what came in the last `perMs`. So the estimate is too low rather
 * than too high, and the highest one counts for the next two windows.
 */
export class ExternalUsage {
  readonly #windows: readonly RateWindow[]
  readonly #peaks: { calls: number; atMs: number }[][]

  constructor(windows: readonly RateWindow[]) {
    this.#windows = windows
    this.#peaks = windows.map(() => [])
  }

  note({ limit, remaining }: Quota, ours: readonly number[], nowMs: number): void {
    if (limit === null || remaining === null) return
    const index = this.#windows.findIndex(({ max }) => max === limit)
    if (index === -1) return
    const calls = limit - remaining - ours[index]! - countingError
    const peaks = this.#peaks[index]!
    // Only a lower peak that is later can ever count.
    while (peaks.length > 0 && peaks.at(-1)!.calls <= calls) peaks.pop()
    if (calls > 0) peaks.push({ calls, atMs: nowMs })
  }

  /** The most calls of others that were seen in each window recently. */
  callsInWindows(nowMs: number): number[] {
    return this.#windows.map(({ perMs }, index) => {
      const peaks = this.#peaks[index]!
      while (peaks.length > 0 && peaks[0]!.atMs <= nowMs - 2 * perMs) peaks.shift()
      return peaks[0]?.calls ?? 0
    })
  }
}

/** The API may have counted the call that it answers, or not yet. */
const countingError = 1
