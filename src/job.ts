import type { Item, Outcome, Refusal } from './item.js'
import type { Quota, RateWindow } from './settings/limits.js'

/** What to do to a whole list, as data: the default export of a job file. */
export interface Job {
  /** One sentence for `ada-bulk jobs` and `--help`. */
  describe: string
  operation: AnyOperation
  /** The job's flags, by name, as `run <job>` takes them. */
  flags?: Readonly<Record<string, JobFlag>>
  /** Decide which items are not done. Hold lists always go first. */
  filters?: (flags: JobFlags, context: FilterContext) => readonly Filter[]
  /** Names of the ID column, where the IDs are not conversations'. The input is CSV. */
  idColumns?: (flags: JobFlags) => readonly string[]
  /** The input is always the live Data Export, as with `--live`. */
  isLive?: boolean
  /** Keeps a sync state for each instance: a run begins where the last one left nothing to do. */
  remembers?: boolean
  /** With the switch `erase`, a second run erases the end users of the conversations that it ended. */
  mayErase?: boolean
  /** Asks for each conversation before calling, as with `--check-first`. */
  checksFirst?: boolean
}

/** The values of a job's flags, by name. */
export type JobFlags = Readonly<Record<string, string | undefined>>

export interface FilterContext {
  /** When the run began, or its plan was made (Unix); the same for a resumed run. */
  nowMs: number
}

export interface JobFlag {
  describe: string
  default?: string
  isRequired?: boolean
  /** Stands alone, without a value; `true` where it is given. */
  isSwitch?: boolean
}

/** Checks the type of a job. */
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
  /** How much of the body of a 2xx is read (64 KiB; always 64 KiB of other answers). */
  bodyBytesMax?: number
}

export type ApiAnswer =
  /** `body` is parsed JSON, else text, or undefined when it is empty. `dateMs` is the API's clock (Unix). */
  | {
      kind: 'answer'
      status: number
      body: unknown
      quota: Quota
      dateMs: number | null
      /** The body was cut off, or is not what its headers announce. */
      isBroken?: boolean
      /** Names in lower case. */
      headers?: Readonly<Record<string, string | string[] | undefined>>
    }
  /** Never reached the API: name not found, connection refused. */
  | { kind: 'unreachable'; message: string }
  /** Sent, and no answer came. */
  | { kind: 'lost'; reason: 'timeout' | 'connection_lost'; message: string }

/** The result of one attempt. `quota` is what the answer said about the rate limits. */
export type Verdict =
  /** The item has its outcome. */
  (
    | { kind: 'settled'; quota: Quota; outcome: Outcome }
    /** Worth another try; `outcome` counts when there is none left. */
    | { kind: 'again'; cause: AgainCause; quota: Quota; outcome: Outcome; isProbe?: boolean }
    /** Over a rate limit (429). */
    | { kind: 'rate_limited'; quota: Quota; outcome: Outcome }
    /** The API refuses the key, and every other item would fail too (401), or it refuses this item (403). */
    | { kind: 'refused'; quota: Quota; outcome: Outcome }
  ) & {
    /** The call changes nothing. */
    isRead?: boolean
  }

/**
 * `answered`: by the API (408, 5xx); `unreachable`: the call never got there; `lost`: sent, no answer; `unconfirmed`: a
 * success that does not say so, as a proxy's.
 */
export type AgainCause = 'answered' | 'unreachable' | 'lost' | 'unconfirmed'

/** Decides, with a reason, that an item is not done. Looks at the item only. */
export interface Filter {
  readonly name: string
  /** Null when the item may be done; `invalid` when it lacks a field that the filter needs. */
  judge(item: Item): Refusal | null
  /** For filters by the time of the last update: judges an item again that was updated at `updatedMs` (Unix). */
  judgeAgain?(updatedMs: number): Refusal | null
}

/**
 * Does one thing to one item, with one call, and says what the answer means. It is safe to repeat. Retry, pacing and
 * the checkpoint's notes wrap it.
 */
export interface Operation {
  /** As people say it: `end-conversation`. */
  readonly name: string
  /** What it does to an item, for questions and plans: `end` with the noun `conversation`. */
  readonly verb: string
  readonly noun: string
  /** Says what cannot be undone, where that is not plain. */
  readonly warning?: string
  /** The part of the API, where its calls count apart from those for conversations. */
  readonly area?: string
  /** The API's own limits for this call. */
  readonly limits: readonly RateWindow[]
  /** It changes nothing, so a lost answer leaves no doubt. */
  readonly isRead?: boolean
  /** The conversation has this status once it is done: asking for it settles a lost answer. */
  readonly doneStatus?: string
  attempt(item: Item, api: Api, attempt: Attempt): Promise<Verdict>
}

export interface Attempt {
  /** Calls made for this item before, in this run. */
  earlierCalls: number
  /** An earlier call for this item got no answer, so it may have worked already. */
  isAfterLostAnswer: boolean
  /** Called right before a call leaves: what is written then survives a crash during the call. */
  leaves(isRead?: boolean): void
  /** Ends the wait for a permit; a call that has left is finished. */
  stopSignal: AbortSignal
  /** Ends the call itself. */
  abortSignal: AbortSignal
}

/** Items that are submitted together. */
export interface Batch {
  items: readonly Item[]
  /** The same whenever a run sends this batch: sent twice within a day, it is done once. */
  reference: string
}

/**
 * Submits many items with one call, and asks later what became of each. To submit a batch again under its reference is
 * safe for `repeatableMs`.
 */
export interface BatchOperation extends Omit<Operation, 'attempt' | 'isRead' | 'doneStatus'> {
  /** The operation under these values of the job's flags. */
  withFlags(flags: Readonly<Record<string, string | undefined>>): BatchOperation
  /** The most that the API takes at once. */
  readonly itemsMax: number
  readonly bytesMax: number
  readonly repeatableMs: number
  /** The bytes of an item in a batch, and of a batch without items. */
  bytesOf(item: Item): number
  readonly bytesOfFrame: number
  submit(batch: Batch, api: Api, attempt: Attempt): Promise<Submitted>
  ask(job: string, batch: Batch, api: Api, attempt: Attempt): Promise<Asked>
  /** The identifier as the API compares it, for the cooldown. */
  identityOf(item: Item): string
}

export interface Submitted {
  /** `succeeded` when the API took the batch. */
  verdict: Verdict
  /** The API's name for the job; null when it took nothing. */
  job: string | null
}

export interface Asked {
  /** `succeeded` when the API knows the job. */
  verdict: Verdict
  /** In the order of the items; null while the job is running. */
  outcomes: readonly Outcome[] | null
}

/** One by one, or in batches. */
export type AnyOperation = Operation | BatchOperation

export function isOnBatches(operation: AnyOperation): operation is BatchOperation {
  return typeof operation === 'object' && 'submit' in operation
}

/** The operation under these values of its job's flags. */
export function withFlags(
  operation: AnyOperation,
  flags: Readonly<Record<string, string | undefined>>,
): AnyOperation {
  return isOnBatches(operation) ? operation.withFlags(flags) : operation
}

export function itemsPerCall(operation: AnyOperation): number {
  return isOnBatches(operation) ? operation.itemsMax : 1
}
