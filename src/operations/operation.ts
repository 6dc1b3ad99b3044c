import type { Outcome } from '../outcome.js'
import type { RateWindow } from '../pacing/rate-window.js'
import type { Api } from './api.js'

/**
 * The promise of an operation: does one thing to one item, with one call, and says what the answer means. It is
 * safe to repeat. Retry and pacing wrap it.
 */
export interface Operation {
  /** As people say it, `end-conversation`. */
  readonly name: string
  /** What it does to an item that it succeeds with, for questions and plans: `end`, with the noun `conversation`. */
  readonly verb: string
  readonly noun: string
  /** The API's own limits for this call. */
  readonly limits: readonly RateWindow[]
  attempt(item: OperationItem, api: Api, attempt: Attempt): Promise<Verdict>
}

export interface OperationItem {
  id: string
  /** The fields it came with, by name. */
  record(): Readonly<Record<string, unknown>>
}

export interface Attempt {
  /** An earlier call for this item got no answer, so it may have worked already. */
  isAfterLostAnswer: boolean
  signal: AbortSignal
}

/** What one attempt came to. */
export type Verdict =
  /** The item has its outcome. */
  | ({ kind: 'settled'; quota: Quota } & Outcome)
  /** Worth another try; `outcome` is what to say when there are no more. */
  | { kind: 'again'; cause: AgainCause; quota: Quota; outcome: Outcome }
  /** Over a rate limit (429). */
  | { kind: 'rate_limited'; quota: Quota; outcome: Outcome }
  /** The key is wrong (401, 403): every other item would fail too. */
  | { kind: 'refused'; quota: Quota; message: string }

/** `answered`: the API said so (408, 5xx); `unreachable`: the call never got there; `lost`: sent, no answer. */
export type AgainCause = 'answered' | 'unreachable' | 'lost'

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
