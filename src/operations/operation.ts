import type { Api } from '../api/api.js'
import type { Verdict } from '../api/verdict.js'
import type { Item } from '../item.js'
import type { Outcome } from '../outcome.js'
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
  /** What cannot be undone, in sentences of its own, where that is not plain. */
  readonly warning?: string
  /** The part of the API whose limits are counted apart from those for conversations. */
  readonly area?: string
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

/** Items that are handed over together. */
export interface Batch {
  items: readonly Item[]
  /** The same for the same batch of a run, whenever it is sent: sent twice within a day, it is done once. */
  reference: string
}

/**
 * The promise of an operation on batches: hands many items over with one call, and asks later what became of each.
 * Handing the same batch over again under its reference is safe for `repeatableMs`.
 */
export interface BatchOperation extends Omit<Operation, 'attempt' | 'isRead'> {
  /** The operation as the values of its job's flags want it. */
  withFlags(flags: Readonly<Record<string, string | undefined>>): BatchOperation
  /** What the API takes at once. */
  readonly itemsMax: number
  readonly bytesMax: number
  readonly repeatableMs: number
  /** How much of `bytesMax` an item needs, and what every batch needs besides. */
  bytesOf(item: Item): number
  readonly bytesOfFrame: number
  submit(batch: Batch, api: Api, attempt: Attempt): Promise<Submitted>
  ask(job: string, batch: Batch, api: Api, attempt: Attempt): Promise<Asked>
  /** Who an item is about, as the API compares it: for the memory of who was submitted. */
  identityOf(item: Item): string
}

export interface Submitted {
  /** `succeeded` when the API took the batch. */
  verdict: Verdict
  /** By which the API calls what it does now; null when it took nothing. */
  job: string | null
}

export interface Asked {
  /** `succeeded` when the API knows the job. */
  verdict: Verdict
  /** In the order of the items; null while the job is under way. */
  outcomes: readonly Outcome[] | null
}

/** What a job does to its items, one by one or in batches. */
export type AnyOperation = Operation | BatchOperation

export function isOnBatches(operation: AnyOperation): operation is BatchOperation {
  return typeof operation === 'object' && 'submit' in operation
}

/** The operation as the values of its job's flags want it. */
export function withFlags(
  operation: AnyOperation,
  flags: Readonly<Record<string, string | undefined>>,
): AnyOperation {
  return isOnBatches(operation) ? operation.withFlags(flags) : operation
}

export function itemsPerCall(operation: AnyOperation): number {
  return isOnBatches(operation) ? operation.itemsMax : 1
}
