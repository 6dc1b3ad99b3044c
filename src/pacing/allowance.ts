import type { Quota, RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { ForeignTraffic, type OwnCalls } from './foreign-traffic.js'
import { factorAt, giveWay, notGivingWay, sharedWindows } from './share.js'

/**
 * How much of each of the API's windows we allow ourselves at the moment: our share, less what others use beyond
 * the part that is left to them, and less again for a while after a 429.
 */
export class Allowance {
  readonly #windows: readonly RateWindow[]
  readonly #clock: Clock
  readonly #foreign: ForeignTraffic
  readonly #longestBurstMs: number
  #share: number
  #givingWay = notGivingWay

  constructor(windows: readonly RateWindow[], share: number, clock: Clock) {
    this.#windows = windows
    this.#share = share
    this.#clock = clock
    this.#foreign = new ForeignTraffic(windows)
    this.#longestBurstMs = Math.min(60_000, Math.max(0, ...windows.map(({ perMs }) => perMs)))
  }

  set share(share: number) {
    this.#share = share
  }

  /** In the order of the API's windows. */
  windows(): RateWindow[] {
    const nowMs = this.#clock.monotonicMs()
    const shared = sharedWindows(this.#windows, this.#share, factorAt(this.#givingWay, nowMs))
    const foreign = this.#foreign.callsInWindows(nowMs)
    return shared.map(({ max, perMs }, index) => {
      const room = roomBeside(foreign[index]!, this.#windows[index]!.max, this.#share)
      return { max: Math.min(max, room), perMs }
    })
  }

  /** Whether a window that is allowed now is smaller than our share of it. */
  isGivingWay({ max, perMs }: RateWindow): boolean {
    return sharedWindows(this.#windows, this.#share, 1).some((own) => own.perMs === perMs && own.max > max)
  }

  /** A 429 came though our windows had room: somebody else uses the quota. */
  rateLimited(): void {
    this.#givingWay = giveWay(this.#givingWay, this.#clock.monotonicMs(), this.#longestBurstMs)
  }

  answered(quota: Quota, own: OwnCalls): void {
    this.#foreign.note(quota, own, this.#clock.monotonicMs())
  }

  /** Headers that speak of a window which is none of ours: its room counts as used up when only the part of others is left. */
  asFarAsOurs(quota: Quota): Quota {
    const { limit, remaining } = quota
    if (limit === null || remaining === null || this.#windows.some(({ max }) => max === limit)) return quota
    return remaining > Math.ceil(limit * (1 - this.#share)) ? quota : { ...quota, remaining: 0 }
  }
}

/** What others use may grow before the API tells of it, so half as much again is left to them. */
const growth = 1.5
/** Whatever others do, a run gets on. */
const leastRatio = 0.05

/** Of a window of the API, what is left for us beside others. Up to `1 − share` is theirs anyway. */
export function roomBeside(foreignCalls: number, max: number, share: number): number {
  const beyond = Math.max(0, foreignCalls - max * (1 - share))
  const room = Math.max(max * share - beyond * growth, max * share * leastRatio)
  return Math.max(1, Math.floor(Number(room.toFixed(6))))
}
