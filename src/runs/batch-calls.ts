import type { BatchNote } from '../checkpoint/batch-notes.js'
import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { RecentlySubmitted } from '../filters/cooldown.js'
import type { EarlierCalls, Outcome } from '../item.js'
import type { Attempt, Batch, BatchOperation, Operation } from '../job.js'
import { type CallNotes, type RetryPolicy, type Settlement, settleWithRetries } from '../operations/retry.js'
import { noQuota } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import type { Session } from './session.js'

export interface BatchCallsParts {
  operation: BatchOperation
  session: Pick<Session, 'api' | 'pace'>
  checkpoint: Checkpoint
  /** Kept up to date. */
  state: CheckpointState
  /** Null where nobody has to remember. */
  recent: RecentlySubmitted | null
  policy: RetryPolicy
  clock: Clock
}

/** The two calls that a batch needs, with their retries, and what is written down about them before they leave. */
export class BatchCalls {
  readonly #parts: BatchCallsParts

  constructor(parts: BatchCallsParts) {
    this.#parts = parts
  }

  /** Hands the batch over. The job is null if the API did not take it, or nobody knows; then the outcome says so. */
  async submit(batch: Batch, earlier: EarlierSubmits): Promise<Settlement & { job: string | null }> {
    const { operation, session, checkpoint, recent, clock } = this.#parts
    let firstSentMs = earlier.firstSentAt === undefined ? null : Date.parse(earlier.firstSentAt)
    const identities = batch.items.map(operation.identityOf)
    let job: string | null = null
    let isLost = earlier.isAnswerLost
    const submitting = this.#forBatch(async (attempt) => {
      isLost ||= attempt.isAfterLostAnswer
      firstSentMs ??= clock.wallMs()
      // Its turn may have been long in coming: a pause, or --hours.
      const isTooLate = clock.wallMs() - firstSentMs > operation.repeatableMs
      if (isLost && isTooLate) return { kind: 'settled', quota: noQuota, outcome: lostForGood }
      recent?.add(identities)
      await checkpoint.synced()
      const submitted = await operation.submit(batch, session.api, attempt)
      job = submitted.job
      return submitted.verdict
    })
    const sent = { did: 'sent', n: batch.items.map(({ ordinal }) => ordinal) } as const
    const settlement = await this.#call(batch, submitting, earlier, sent)
    if (job !== null) {
      this.#note(batch, { did: 'accepted', job })
      await checkpoint.synced()
    } else if (!isLost && isKnownNotTaken(settlement.outcome)) recent?.withdraw(identities)
    return { ...settlement, job }
  }

  /** What became of each item; null while the job is under way, or nobody says. */
  async ask(batch: Batch, job: string): Promise<readonly Outcome[] | null> {
    const { operation, session } = this.#parts
    let outcomes: readonly Outcome[] | null = null
    const asking = this.#forBatch(async (attempt) => {
      const asked = await operation.ask(job, batch, session.api, attempt)
      outcomes = asked.outcomes
      return asked.verdict
    })
    await this.#call(batch, asking, { calls: 0, isAnswerLost: false }, { did: 'asked' })
    return outcomes
  }

  /** The batch is too large for the API: its items go into smaller ones. */
  split(batch: Batch): void {
    this.#note(batch, { did: 'split' })
  }

  /** One call for all, as if for the first item, so that retry and pacing wrap it like any other. */
  #forBatch(call: (attempt: Attempt) => ReturnType<Operation['attempt']>): Operation {
    const { name, verb, noun, limits } = this.#parts.operation
    return this.#parts.session.pace({
      name,
      verb,
      noun,
      limits,
      attempt: (_item, _api, attempt) => call(attempt),
    })
  }

  #call(
    batch: Batch,
    operation: Operation,
    earlier: EarlierCalls,
    sent: { did: 'sent'; n: number[] } | { did: 'asked' },
  ): Promise<Settlement> {
    const { session, policy, state } = this.#parts
    const notes: CallNotes = {
      sent: () => {
        state.requests.sent += 1
        this.#note(batch, sent)
      },
      back: (_item, { reason, httpStatus: http }) => {
        if (reason === 'rate_limited') state.requests.rateLimited += 1
        this.#note(batch, { did: sent.did === 'sent' ? 'returned' : 'asked in vain', reason, http })
      },
    }
    return settleWithRetries(operation, session.api, batch.items[0]!, earlier, policy, notes)
  }

  #note({ reference }: Batch, what: What<BatchNote>): void {
    const at = new Date(this.#parts.clock.wallMs()).toISOString()
    this.#parts.checkpoint.noteBatch({ batch: reference, ...what, at })
  }
}

type What<T> = T extends BatchNote ? Omit<T, 'batch' | 'at'> : never

/** What a run that was stopped before knows about a batch. */
export interface EarlierSubmits extends EarlierCalls {
  firstSentAt?: string
}

/** Sent again now, the batch would be another job, and it would fail for those whom the first one took. */
export const lostForGood: Outcome = {
  status: 'unknown',
  reason: 'connection_lost',
  httpStatus: null,
  message: 'handed over, the answer was lost, and it is too late to send the same batch again',
}

/** By a 4xx nobody is erased. After a 5xx one cannot know. */
function isKnownNotTaken({ reason, httpStatus }: Outcome): boolean {
  return reason === 'network_error' || (httpStatus !== null && httpStatus >= 400 && httpStatus < 500)
}
