import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { CheckpointState } from '../checkpoint/read.js'
import { type Item, nameOf, type Outcome, type SettledItem } from '../item.js'
import type { Api, Operation } from '../job.js'
import { type RetryPolicy, type Settlement, settleWithRetries } from '../operations/retry.js'
import type { Clock } from '../system/clock.js'
import type { Logger } from '../system/log.js'

/** What it takes to settle the items of a run. */
export interface SettlingParts {
  api: Api
  checkpoint: Checkpoint
  /** Kept up to date. */
  state: CheckpointState
  policy: Omit<RetryPolicy, 'notes'>
  clock: Clock
  log: Logger
  /** Is told what calls have come to as soon as it is known, which is before it is on disk. */
  onOutcome: (outcome: Outcome) => void
  /** Is told of every item when it is settled. */
  onSettled: (item: Item, settled: SettledItem) => void
}

/** A job of somebody's own may say anything; a reason is one word. */
const longestReason = 60

/** Settles items and keeps the books: the checkpoint first, then the counts and the log. */
export class Settling {
  readonly #parts: SettlingParts
  readonly #firstSentMs = new Map<number, number>()

  constructor(parts: SettlingParts) {
    this.#parts = parts
  }

  /** Calls until the item has its outcome and that is on disk. Throws what `settleWithRetries` throws, and LogWriteError. */
  async byCalling(item: Item, operation: Operation): Promise<void> {
    const { api, state } = this.#parts
    const earlier = state.open.get(item.ordinal) ?? { calls: 0, isAnswerLost: false }
    try {
      const policy = { ...this.#parts.policy, notes: this.#notes }
      await this.settle(item, await settleWithRetries(operation, api, item, earlier, policy))
    } finally {
      this.#firstSentMs.delete(item.ordinal)
    }
  }

  /** Puts what calls came to on disk. `sentMs` is when the first left (monotonic). Throws LogWriteError. */
  async settle(item: Item, { outcome, attempts }: Settlement, sentMs?: number): Promise<void> {
    this.#parts.onOutcome(outcome)
    const settled = this.#settledItem(item, outcome, attempts, sentMs)
    await this.#parts.checkpoint.settleDurably(settled)
    this.#count(item, settled)
  }

  /** Settles an item that needs no call. It may have been called before a stop: a filter may think otherwise by now. */
  withoutCalling(item: Item, outcome: Outcome): void {
    const earlier = this.#parts.state.open.get(item.ordinal)
    const settled = this.#settledItem(item, outcome, earlier?.calls ?? 0)
    this.#parts.checkpoint.settle(settled)
    this.#count(item, settled)
  }

  readonly #notes = {
    sent: (item: Item, isRead: boolean): void => {
      const { checkpoint, state, clock } = this.#parts
      if (!this.#firstSentMs.has(item.ordinal)) this.#firstSentMs.set(item.ordinal, clock.monotonicMs())
      state.requests.sent += 1
      checkpoint.noteSent(item, this.#now(), isRead)
    },
    back: (item: Item, outcome: Outcome, isRead: boolean): void => {
      const { checkpoint, state, log } = this.#parts
      const { reason, httpStatus: http } = outcome
      const message = messageFor(item, outcome)
      if (reason === 'rate_limited') state.requests.rateLimited += 1
      checkpoint.noteBack(item, this.#now(), outcome, isRead)
      log.info({ id: nameOf(item), reason, http, message }, 'call came to nothing')
    },
  }

  #count(item: Item, settled: SettledItem): void {
    const { state, log, onSettled } = this.#parts
    state.settled.add(settled.ordinal)
    state.tally.add(settled.status, settled.reason)
    onSettled(item, settled)
    const { id, status, reason, httpStatus: http, attempts, message, source, line } = settled
    if (status === 'failed' || status === 'unknown') {
      log.warn({ id, status, reason, http, attempts, message, source, line }, 'item failed')
    } else log.debug({ id, status, reason, http, attempts, source, line }, 'item settled')
  }

  #settledItem(
    item: Item,
    outcome: Outcome,
    attempts: number,
    sentMs = this.#firstSentMs.get(item.ordinal),
  ): SettledItem {
    return {
      ordinal: item.ordinal,
      id: nameOf(item),
      ...outcome,
      message: messageFor(item, outcome),
      reason: outcome.reason.replace(/[^a-z0-9_]/gi, '_').slice(0, longestReason),
      attempts,
      finishedAt: this.#now(),
      durationMs: sentMs === undefined ? 0 : Math.round(this.#parts.clock.monotonicMs() - sentMs),
      source: item.source,
      line: item.line,
    }
  }

  #now(): string {
    return new Date(this.#parts.clock.wallMs()).toISOString()
  }
}

/** Where books keep pseudonyms they keep no words of others either: the API may repeat what it was sent. */
function messageFor(item: Item, { message, httpStatus }: Outcome): string {
  if (item.pseudonym === undefined) return message
  return httpStatus === null ? message.replaceAll(item.id, item.pseudonym) : ''
}
