import type { RateWindow } from '../settings/limits.js'

/**
 * How the server keeps its windows. `sliding`: an exact log of arrivals. `fixed`: a count that starts anew when
 * the clock passes a multiple of the period. `bucket`: as many tokens as `max`, refilled evenly.
 */
export type WindowKind = 'sliding' | 'fixed' | 'bucket'

export type Judgement =
  /** `quota` is the tightest window after this arrival, null where there is none. */
  { isOver: false; quota: ServerQuota | null } | { isOver: true; retryAfterMs: number }

export interface ServerQuota {
  limit: number
  remaining: number
  /** When there will be more room, on the clock of `judge`. */
  resetAtMs: number
}

/** The server's side of the rate limits. Time is an argument, in milliseconds, and never goes back. */
export class RateWindows {
  private readonly windows: ServerWindow[]

  constructor(limits: readonly RateWindow[], kind: WindowKind) {
    this.windows = limits.map(windowOf[kind])
  }

  /** An arrival that is over any window takes a place in none, or a client that insists would never get through. */
  judge(nowMs: number): Judgement {
    let retryAfterMs = 0
    for (const window of this.windows) retryAfterMs = Math.max(retryAfterMs, window.waitMs(nowMs))
    if (retryAfterMs > 0) return { isOver: true, retryAfterMs }
    let quota: ServerQuota | null = null
    for (const window of this.windows) {
      window.take(nowMs)
      const { max } = window.limit
      const remaining = window.remaining(nowMs)
      if (quota && remaining >= quota.remaining) continue
      quota = { limit: max, remaining, resetAtMs: window.resetAtMs(nowMs) }
    }
    return { isOver: false, quota }
  }
}

interface ServerWindow {
  readonly limit: RateWindow
  /** Until there is room for one more; 0 when there is. */
  waitMs(nowMs: number): number
  take(nowMs: number): void
  remaining(nowMs: number): number
  resetAtMs(nowMs: number): number
}

const windowOf: Record<WindowKind, (limit: RateWindow) => ServerWindow> = { sliding, fixed, bucket }

function sliding(limit: RateWindow): ServerWindow {
  const { max, perMs } = limit
  let arrivals: number[] = []
  let oldest = 0
  const held = (nowMs: number) => {
    while (oldest < arrivals.length && arrivals[oldest]! <= nowMs - perMs) oldest += 1
    // Cut off what has left once it is the larger half, so that each arrival is moved only once on average.
    if (oldest > 1024 && oldest * 2 > arrivals.length) {
      arrivals = arrivals.slice(oldest)
      oldest = 0
    }
    return arrivals.length - oldest
  }
  return {
    limit,
    waitMs: (nowMs) => (held(nowMs) < max ? 0 : arrivals[oldest]! + perMs - nowMs),
    take: (nowMs) => arrivals.push(nowMs),
    remaining: (nowMs) => max - held(nowMs),
    resetAtMs: (nowMs) => (held(nowMs) === 0 ? nowMs : arrivals[oldest]! + perMs),
  }
}

function fixed(limit: RateWindow): ServerWindow {
  const { max, perMs } = limit
  let period = Number.NaN
  let taken = 0
  const turn = (nowMs: number) => {
    const current = Math.floor(nowMs / perMs)
    if (current !== period) taken = 0
    period = current
  }
  const endMs = (nowMs: number) => (Math.floor(nowMs / perMs) + 1) * perMs
  return {
    limit,
    waitMs(nowMs) {
      turn(nowMs)
      return taken < max ? 0 : endMs(nowMs) - nowMs
    },
    take() {
      taken += 1
    },
    remaining: () => max - taken,
    resetAtMs: endMs,
  }
}

function bucket(limit: RateWindow): ServerWindow {
  const { max, perMs } = limit
  let tokens = max
  let filledAtMs = Number.NEGATIVE_INFINITY
  const fill = (nowMs: number) => {
    if (nowMs > filledAtMs) tokens = Math.min(max, tokens + ((nowMs - filledAtMs) / perMs) * max)
    filledAtMs = nowMs
  }
  // Adding up fractions of tokens is inexact: a token that is there but for a billionth is there.
  const whole = () => Math.floor(tokens + 1e-9)
  const untilNextMs = () => ((whole() + 1 - tokens) / max) * perMs
  return {
    limit,
    waitMs(nowMs) {
      fill(nowMs)
      return whole() >= 1 ? 0 : untilNextMs()
    },
    take() {
      tokens -= 1
    },
    remaining: whole,
    resetAtMs: (nowMs) => nowMs + untilNextMs(),
  }
}
