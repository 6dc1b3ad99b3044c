import type { RateWindow } from '../settings/limits.js'

/** The windows as far as we allow ourselves to use them; at least one call each. */
export function sharedWindows(windows: readonly RateWindow[], share: number, factor: number): RateWindow[] {
  return windows.map(({ max, perMs }) => ({
    // 300 × 0.8 × 0.7 is 167.99999999999997 to a computer.
    max: Math.max(1, Math.floor(Number((max * share * factor).toFixed(6)))),
    perMs,
  }))
}

/** How far we give way to somebody else who uses the API's limits. */
export interface GivingWay {
  /** What is left of our share, right after the last 429. */
  factor: number
  /** When the factor was lowered, or its winning back began anew. */
  rateLimitedAtMs: number
  loweredAtMs: number
}

export const notGivingWay: GivingWay = {
  factor: 1,
  rateLimitedAtMs: Number.NEGATIVE_INFINITY,
  loweredAtMs: Number.NEGATIVE_INFINITY,
}

const lowestFactor = 0.25
const lowering = 0.7
const winBack = 0.05
const winBackEveryMs = 30_000

/** What is left of our share now: a little is won back with every half minute without a 429. */
export function factorAt(state: GivingWay, nowMs: number): number {
  if (state.factor === 1) return 1
  const steps = Math.floor((nowMs - state.rateLimitedAtMs) / winBackEveryMs)
  return Math.min(1, state.factor + steps * winBack)
}

/** A 429 came though our own windows had room. One burst of them counts once, hence `onceInMs`. */
export function giveWay(state: GivingWay, nowMs: number, onceInMs: number): GivingWay {
  const factor = factorAt(state, nowMs)
  if (nowMs - state.loweredAtMs < onceInMs) return { ...state, factor, rateLimitedAtMs: nowMs }
  return { factor: Math.max(lowestFactor, factor * lowering), rateLimitedAtMs: nowMs, loweredAtMs: nowMs }
}
