import type { CheckpointEvent } from '../checkpoint/checkpoint.js'
import { sharedWindows } from '../pacing/share.js'
import type { RateWindow } from '../settings/limits.js'
import type { RunSettings } from '../settings/run-settings.js'
import { BusiestSpan } from './html-timeline.js'

export type Limits = 'none' | readonly RateWindow[]

/** What was allowed from a moment on. */
interface Allowed {
  fromMs: number
  limits: Limits
  share: number
}

/** How the calls of a run stood against its limits, which may have been changed on the way. */
export class Pace {
  readonly allowed: Allowed[]
  readonly busiest: BusiestSpan[] = []

  constructor({ limits, share }: Pick<RunSettings, 'limits' | 'share'>) {
    this.allowed = [{ fromMs: Number.NEGATIVE_INFINITY, limits, share }]
    this.#watch(limits)
  }

  addEvent(event: CheckpointEvent): void {
    const { limits, share } = this.allowed.at(-1)!
    if (event.event === 'started' || event.event === 'resumed') this.#allow(event.at, event.settings)
    if (event.event === 'throttled')
      this.#allow(event.at, { limits: event.limits ?? limits, share: event.share ?? share })
  }

  addCall(atMs: number): void {
    for (const span of this.busiest) span.add(atMs)
  }

  /** Calls a minute at a moment: what the API takes, and our share of it. Null where nothing limits them. */
  perMinute(atMs: number): { limit: number; share: number } | null {
    const { limits, share } = this.allowed.findLast(({ fromMs }) => fromMs <= atMs)!
    if (limits === 'none' || limits.length === 0) return null
    const limit = Math.min(...limits.map(inAMinute))
    return { limit, share: limit * share }
  }

  /** The most that was allowed in any span of `perMs`; null where no window is so long. */
  mostIn(perMs: number): { limit: number; share: number } | null {
    const windows = this.allowed.flatMap(({ limits, share }) => {
      const window = limits === 'none' ? undefined : limits.find((one) => one.perMs === perMs)
      return window === undefined
        ? []
        : [{ limit: window.max, share: sharedWindows([window], share, 1)[0]!.max }]
    })
    if (windows.length === 0) return null
    return {
      limit: Math.max(...windows.map(({ limit }) => limit)),
      share: Math.max(...windows.map(({ share }) => share)),
    }
  }

  #allow(at: string, { limits, share }: { limits: Limits; share: number }): void {
    this.allowed.push({ fromMs: Date.parse(at), limits, share })
    this.#watch(limits)
  }

  #watch(limits: Limits): void {
    const spans = limits === 'none' ? [60_000] : limits.map(({ perMs }) => perMs)
    for (const perMs of spans) {
      if (!this.busiest.some((span) => span.perMs === perMs)) this.busiest.push(new BusiestSpan(perMs))
    }
  }
}

/** The most that a window lets through in a minute. */
function inAMinute({ max, perMs }: RateWindow): number {
  return perMs <= 60_000 ? (max * 60_000) / perMs : max
}
