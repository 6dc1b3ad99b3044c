import type { Api } from '../api/api.js'
import type { Verdict } from '../api/verdict.js'
import type { Item } from '../item.js'
import type { RateWindow } from '../pacing/rate-window.js'

/**
 * The promise of an operation: does one thing to one item, with one call, and says what the answer means. It is
 * safe to repeat. Retry, pacing and the checkpoint's notes wrap it.
 */
export interface Operation {
  /** As people say it: `end-conversation`. */
  readonly name: string
  /** What it does to an item, for questions and plans: `end` with the noun `conversation`. */
  readonly verb: string
  readonly noun: string
  /** The API's own limits for this call. */
  readonly limits: readonly RateWindow[]
  /** It changes nothing, so an answer that is lost leaves no doubt. */
  readonly isRead?: boolean
  attempt(item: Item, api: Api, attempt: Attempt): Promise<Verdict>
}

export interface Attempt {
  /** Calls made for this item before, in this run. */
  earlierCalls: number
  /** An earlier call for this item got no answer, so it may have worked already. */
  isAfterLostAnswer: boolean
  /** Called right before a call leaves, with whether it only reads: what is written then survives a crash during the call. */
  leaves(isRead?: boolean): void
  /** Ends the waiting for a turn; a call that has left goes on. */
  stopSignal: AbortSignal
  /** Ends the call itself. */
  abortSignal: AbortSignal
}
