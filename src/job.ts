import type { Item, Outcome, Refusal } from './item.js'
import type { Quota, RateWindow } from './settings/limits.js'

/** What to do to a whole list, as data. A file in `jobs/`, or of your own, has one as its default export. */
export interface Job {
  /** One sentence for `ada-bulk jobs` and `--help`. */
  describe: string
  operation: AnyOperation
  /** Flags of the job's own, by name, as `run <job>` takes them. */
  flags?: Readonly<Record<string, JobFlag>>
  /** Which items are not to be done, given the values of the job's flags. Hold lists always go before. */
  filters?: (flags: JobFlags, context: FilterContext) => readonly Filter[]
  /** The names that the column of the ID may have, where the IDs are none of conversations. Its input is CSV. */
  idColumns?: (flags: JobFlags) => readonly string[]
  /** Its input is always the live Data Export, as with `--live`. */
  isLive?: boolean
  /** Remembers what it has settled on an instance, and begins where its last run left nothing to do. */
  remembers?: boolean
  /** With its switch `erase`, the end users behind what it has ended are erased by a second run. */
  mayErase?: boolean
  /** Asks for each conversation before it does something to it, as with `--check-first`. */
  checksFirst?: boolean
}

/** The values of a job's flags, by name. */
export type JobFlags = Readonly<Record<string, string | undefined>>

export interface FilterContext {
  /** When the run began, or its plan was made (Unix). A resumed run judges by the same moment. */
  nowMs: number
}

export interface JobFlag {
  describe: string
  default?: string
  isRequired?: boolean
  /** Stands alone, without a value; `true` where it is given. */
  isSwitch?: boolean
}

/** Says that an object is a job; the types are all it adds. */
export function defineJob(job: Job): Job {
  return job
}

/** The API as an operation sees it. */
export interface Api {
  /** Makes one call and says what became of it. Only an abort of the signal throws. */
  call(request: ApiRequest): Promise<ApiAnswer>
}

export interface ApiRequest {
  method: 'GET' | 'POST' | 'PATCH'
  /** From the origin on, segments encoded: `/api/v2/conversations/66f…/end/`. */
  path: string
  body?: unknown
  signal: AbortSignal
  /** More of the body of a 2xx than this is not looked at (64 KiB, as of every other answer). */
  bodyBytesMax?: number
}

export type ApiAnswer =
  /** `body` is parsed JSON, or text when it is none, or undefined; cut at a sane length. `dateMs` is the API's clock (Unix). */
  | { kind: 'answer'; status: number; body: unknown; quota: Quota; dateMs: number | null }
  /** Never reached the API: name not found, connection refused. */
  | { kind: 'unreachable'; message: string }
  /** Sent, and no answer came. */
  | { kind: 'lost'; reason: 'timeout' | 'connection_lost'; message: string }

/** What one attempt came to. `quota` is what the answer said about the rate limits. */
export type Verdict =
  /** The item has its outcome. */
  (
    | { kind: 'settled'; quota: Quota; outcome: Outcome }
    /** Worth another try; `outcome` is what to say when there are no more. */
    | { kind: 'again'; cause: AgainCause; quota: Quota; outcome: Outcome; isProbe?: boolean }
    /** Over a rate limit (429). */
    | { kind: 'rate_limited'; quota: Quota; outcome: Outcome }
    /** The key is wrong (401, 403): every other item would fail too. */
    | { kind: 'refused'; quota: Quota; outcome: Outcome }
  ) & {
    /** Of a call that changes nothing. */
    isRead?: boolean
  }

/** `answered`: the API said so (408, 5xx); `unreachable`: the call never got there; `lost`: sent, no answer. */
export type AgainCause = 'answered' | 'unreachable' | 'lost'

/** The promise of a filter: decides, with a reason, that an item is not to be done. Looks at the item only. */
export interface Filter {
  readonly name: string
  /** Null when the item may be done. `invalid` when the item lacks what the filter has to look at. */
  judge(item: Item): Refusal | null
  /**
   * Of filters that go by when the item was last touched: the same judgement for an item that was touched at
   * `updatedMs` (Unix), long after the input was made. Null when it may be done still.
   */
  judgeAgain?(updatedMs: number): Refusal | null
}

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
