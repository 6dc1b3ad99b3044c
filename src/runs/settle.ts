import type { Checkpoint } from '../checkpoint/checkpoint.js'
import type { CheckpointState } from '../checkpoint/read.js'
import { type Item, nameOf, type Outcome, type PriorCalls, type SettledItem } from '../item.js'
import type { Operation } from '../job.js'
import { type CallNotes, type RetryPolicy, type Settlement, settleWithRetries } from '../operations/retry.js'
import type { InputItem } from '../sources/items.js'
import type { Clock } from '../system/clock.js'
import type { Session } from './session.js'

export type Items = AsyncIterable<readonly InputItem[]>

/** How the line settles items by calling: one by one, or in batches. */
export interface Dispatcher {
  itemsInProgressMax: number
  /** The items as the line has to read them. */
  through(items: Items): Items
  /** Whether an earlier execution submitted the item; `rejoin` takes it up again. */
  isOpen(item: Item): boolean
  /** Takes up, beside the line, what earlier executions submitted. `read` reads the whole input. */
  rejoin(read: () => Items): Promise<void>
  /** Resolves when the outcome is on disk, or the API works on the item in a job. Throws LogWriteError, and what `settleWithRetries` throws. */
  settle(item: Item): Promise<void>
  /** Called when the line is done: waits for the API's jobs, and says how many items are in jobs that take longer. */
  finish(): Promise<number>
}

const neverCalled: PriorCalls = { calls: 0, isAnswerLost: false }

/** One call for each item, with its retries. */
export function oneByOne(
  operation: Operation,
  { api }: Session,
  recorder: Recorder,
  open: CheckpointState['open'],
  policy: RetryPolicy,
  itemsInProgressMax: number,
): Dispatcher {
  return {
    itemsInProgressMax,
    through: (items) => items,
    isOpen: () => false,
    rejoin: async () => {},
    finish: async () => 0,
    async settle(item) {
      const earlier = open.get(item.ordinal) ?? neverCalled
      await recorder.settle(item, await settleWithRetries(operation, api, item, earlier, policy, recorder))
    },
  }
}

/** A custom job may say anything; a reason is one word. */
const reasonCharsMax = 60

/** Records calls and outcomes of items as events. */
export class Recorder implements CallNotes {
  readonly #checkpoint: Checkpoint
  readonly #open: CheckpointState['open']
  readonly #clock: Clock
  readonly #onOutcome: (outcome: Outcome) => void
  readonly #firstSentMs = new Map<number, number>()

  /** `onOutcome` hears what calls have come to before that is on disk. */
  constructor(
    checkpoint: Checkpoint,
    open: CheckpointState['open'],
    clock: Clock,
    onOutcome: (outcome: Outcome) => void,
  ) {
    this.#checkpoint = checkpoint
    this.#open = open
    this.#clock = clock
    this.#onOutcome = onOutcome
  }

  /** Settles an item by what calls came to. `sentMs` is when the first left (monotonic). Throws LogWriteError. */
  async settle(
    item: Item,
    { outcome, attempts }: Settlement,
    sentMs = this.#firstSentMs.get(item.ordinal),
  ): Promise<void> {
    this.#firstSentMs.delete(item.ordinal)
    this.#onOutcome(outcome)
    const settled = this.#settledItem(item, outcome, attempts, sentMs)
    await this.#checkpoint.record({ event: 'settled', settled }, item)
  }

  /** Settles an item that needs no call. A filter may turn away now what was called before a stop. */
  settleWithoutCalling(item: Item, outcome: Outcome): void {
    const settled = this.#settledItem(item, outcome, this.#open.get(item.ordinal)?.calls ?? 0)
    this.#checkpoint.add({ event: 'settled', settled }, item)
  }

  sent(item: Item, isRead: boolean): void {
    const { ordinal } = item
    if (!this.#firstSentMs.has(ordinal)) this.#firstSentMs.set(ordinal, this.#clock.monotonicMs())
    const event = isRead ? 'check-sent' : 'call-sent'
    this.#checkpoint.note({ event, ordinal, id: nameOf(item), at: this.#now() }, item)
  }

  back(item: Item, outcome: Outcome, isRead: boolean): void {
    const { reason, httpStatus } = outcome
    this.#checkpoint.note(
      {
        event: 'call-returned',
        ordinal: item.ordinal,
        reason,
        httpStatus,
        at: this.#now(),
        message: messageFor(item, outcome),
        ...(isRead ? { isRead } : {}),
      },
      item,
    )
  }

  #settledItem(item: Item, outcome: Outcome, attempts: number, sentMs?: number): SettledItem {
    return {
      ordinal: item.ordinal,
      id: nameOf(item),
      ...outcome,
      message: messageFor(item, outcome),
      reason: outcome.reason.replace(/[^a-z0-9_]/gi, '_').slice(0, reasonCharsMax),
      attempts,
      finishedAt: this.#now(),
      durationMs: sentMs === undefined ? 0 : Math.round(this.#clock.monotonicMs() - sentMs),
      source: item.source,
      line: item.line,
    }
  }

  #now(): string {
    return new Date(this.#clock.wallMs()).toISOString()
  }
}

/** A record of pseudonyms keeps no text of the API's: it may repeat the ID that it was sent. */
function messageFor(item: Item, { message, httpStatus }: Outcome): string {
  if (item.pseudonym === undefined) return message
  return httpStatus === null ? message.replaceAll(item.id, item.pseudonym) : ''
}
