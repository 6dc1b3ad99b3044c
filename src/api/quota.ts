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

/** Ada documents `Retry-After` as whole seconds from 1 to 86,400; a longer wait is cut to a day. */
const longestWaitMs = 86_400_000

type Headers = Record<string, string | string[] | undefined>

/**
 * Reads what an answer's headers say about the rate limits. Moments are turned into spans by the answer's own
 * `Date`, because the server's clock and ours may differ.
 */
export function quotaOf(headers: Headers, wallMs: number): Quota {
  const serverMs = Date.parse(one(headers.date) ?? '') || wallMs
  const resetSeconds = count(headers['x-ratelimit-reset'])
  return {
    retryAfterMs: retryAfterMs(one(headers['retry-after']), serverMs),
    limit: count(headers['x-ratelimit-limit']),
    remaining: count(headers['x-ratelimit-remaining']),
    resetInMs: resetSeconds === null ? null : clamp(resetSeconds * 1000 - serverMs),
  }
}

/** `Retry-After` may be a number of seconds or a date. */
function retryAfterMs(value: string | undefined, serverMs: number): number | null {
  if (value === undefined) return null
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return clamp(Number(value) * 1000)
  // Date.parse alone finds a date in `-5`, long past.
  const dateMs = /\d:\d\d:\d\d/.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(dateMs) ? null : clamp(dateMs - serverMs)
}

function count(value: string | string[] | undefined): number | null {
  const text = one(value)?.trim()
  return text !== undefined && /^\d+(\.\d+)?$/.test(text) ? Number(text) : null
}

function one(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}

function clamp(ms: number): number {
  return Math.min(Math.max(ms, 0), longestWaitMs)
}
