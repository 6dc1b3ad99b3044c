import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { BatchEvent } from '../checkpoint/events.js'
import type { RecentlySubmitted } from '../filters/cooldown.js'
import type { Outcome, PriorCalls } from '../item.js'
import type { Attempt, Batch, BatchOperation, Operation } from '../job.js'
import { type CallNotes, type RetryPolicy, type Settlement, settleWithRetries } from '../operations/retry.js'
import { noQuota } from '../settings/limits.js'
import type { Session } from './session.js'

export interface BatchCallsParts {
  operation: BatchOperation
  session: Pick<Session, 'api' | 'pace'>
  checkpoint: Pick<Checkpoint, 'note' | 'synced'>
  /** Null for a sandbox. */
  cooldown: RecentlySubmitted | null
  policy: RetryPolicy
  /** How long to ask what became of a batch before the run stops for now. */
  pollForMs: number
}

/** What a run that was stopped before knows about a batch. */
export interface PriorSubmits extends PriorCalls {
  firstSentAt?: string
}

const pollFirstMs = 1000
const pollAtMostMs = 300_000

/** A job that is not found may be too young; after so many polls in a row it is lost. */
const notFoundMax = 5

/** Submits batches and polls the jobs that the API makes of them. Every call is on record before it leaves. */
export class BatchCalls {
  readonly #parts: BatchCallsParts

  constructor(parts: BatchCallsParts) {
    this.#parts = parts
  }

  /** `job` is null if the API did not take the batch, or its answer is lost; then the outcome says so. */
  async submit(batch: Batch, earlier: PriorSubmits): Promise<Settlement & { job: string | null }> {
    const { operation, session, checkpoint, cooldown, policy } = this.#parts
    const { clock } = policy
    const identities = batch.items.map(operation.identityOf)
    let firstSentMs = earlier.firstSentAt === undefined ? null : Date.parse(earlier.firstSentAt)
    let job: string | null = null
    let isLost = earlier.isAnswerLost
    const submitting = this.#forBatch(async (attempt) => {
      isLost ||= attempt.isAfterLostAnswer
      firstSentMs ??= clock.wallMs()
      // A pause, or --hours, may have delayed the permit.
      const isTooLate = clock.wallMs() - firstSentMs > operation.repeatableMs
      if (isLost && isTooLate) return { kind: 'settled', quota: noQuota, outcome: lostForGood }
      cooldown?.add(identities)
      await checkpoint.synced()
      const submitted = await operation.submit(batch, session.api, attempt)
      job = submitted.job
      return submitted.verdict
    })
    const sent = { did: 'sent', ordinals: batch.items.map(({ ordinal }) => ordinal) } as const
    const settlement = await this.#call(batch, submitting, earlier, sent)
    if (job !== null) {
      this.#note(batch, { did: 'accepted', job })
      await checkpoint.synced()
    } else if (!isLost && isKnownNotTaken(settlement.outcome)) cooldown?.withdraw(identities)
    return { ...settlement, job }
  }

  /** Polls until the job is over: the outcome of each item, or null when that takes longer than `pollForMs`. */
  async outcomesOf(batch: Batch, job: string): Promise<readonly Outcome[] | null> {
    const { pollForMs, policy } = this.#parts
    const untilMs = policy.clock.monotonicMs() + pollForMs
    let notFound = 0
    for (let delayMs = pollFirstMs; ; delayMs = Math.min(2 * delayMs, pollAtMostMs)) {
      const outcomes = await this.#poll(batch, job)
      notFound = outcomes?.[0]?.reason === 'job_lost' ? notFound + 1 : 0
      if (outcomes !== null && (notFound === 0 || notFound === notFoundMax)) return outcomes
      const leftMs = untilMs - policy.clock.monotonicMs()
      if (leftMs <= 0) return null
      await policy.clock.sleep(Math.min(delayMs, leftMs), policy.stopSignal)
    }
  }

  /** Notes that the batch is too large for the API, and that its items are submitted in smaller ones. */
  split(batch: Batch): void {
    this.#note(batch, { did: 'split' })
  }

  /** Null while the job is under way, or the API does not say. */
  async #poll(batch: Batch, job: string): Promise<readonly Outcome[] | null> {
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

  /** One call for the batch, made as if for its first item, so that pacing and retry wrap it like any other. */
  #forBatch(call: (attempt: Attempt) => ReturnType<Operation['attempt']>): Operation {
    const { name, verb, noun, limits } = this.#parts.operation
    return this.#parts.session.pace({
      ...{ name, verb, noun, limits },
      attempt: (_item, _api, attempt) => call(attempt),
    })
  }

  #call(
    batch: Batch,
    operation: Operation,
    earlier: PriorCalls,
    sent: { did: 'sent'; ordinals: number[] } | { did: 'asked' },
  ): Promise<Settlement> {
    const { session, policy } = this.#parts
    const notes: CallNotes = {
      sent: (_item, isRead) => isRead || this.#note(batch, sent),
      back: (_item, { reason, httpStatus }) =>
        this.#note(batch, { did: sent.did === 'sent' ? 'returned' : 'asked in vain', reason, httpStatus }),
    }
    return settleWithRetries(operation, session.api, batch.items[0]!, earlier, policy, notes)
  }

  #note({ reference }: Batch, what: WithoutOrigin<BatchEvent>): void {
    const at = new Date(this.#parts.policy.clock.wallMs()).toISOString()
    this.#parts.checkpoint.note({ event: 'batch', reference, ...what, at })
  }
}

type WithoutOrigin<T> = T extends BatchEvent ? Omit<T, 'event' | 'reference' | 'at'> : never

/** Sent again now, the batch would become a second job, which fails for everybody whom the first one took. */
export const lostForGood: Outcome = {
  status: 'unknown',
  reason: 'connection_lost',
  httpStatus: null,
  message: 'handed over, the answer was lost, and it is too late to send the same batch again',
}

/** A 4xx erases nobody. A 5xx leaves that open. */
function isKnownNotTaken({ status, reason, httpStatus }: Outcome): boolean {
  if (status === 'unknown') return false
  return reason === 'network_error' || (httpStatus !== null && httpStatus >= 400 && httpStatus < 500)
}
