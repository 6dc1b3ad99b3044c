/** Bounds of what people may write. */
export const windowsMax = 16
export const mostCalls = 1_000_000_000
export const longestWindowMs = 366 * 86_400_000

/** `30/s`, `40/6s`: as `--limit` takes it. */
export function inLimit({ max, perMs }: RateWindow): string {
  const units: [number, string][] = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
    [1, 'ms'],
  ]
  const [unitMs, unit] = units.find(([ms]) => perMs % ms === 0)!
  return `${max}/${perMs === unitMs ? '' : perMs / unitMs}${unit}`
}
/** What an answer says about the rate limits; null where it says nothing. */
export interface Quota {
  /** From `Retry-After`, in milliseconds from now. */
  retryAfterMs: number | null
  /** `X-RateLimit-Limit` and `X-RateLimit-Remaining`, in calls. */
  limit: number | null
  remaining: number | null
  /** From `X-RateLimit-Reset`, compared with the answer's own `Date`: milliseconds from now. */
  resetInMs: number | null
}

export const noQuota: Quota = { retryAfterMs: null, limit: null, remaining: null, resetInMs: null }
/** At most `max` calls in any span of `perMs` milliseconds, as the server sees it. */
export interface RateWindow {
  max: number
  perMs: number
}
