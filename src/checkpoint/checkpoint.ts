import { type EarlierCalls, type Item, nameOf, type Outcome, type SettledItem } from '../item.js'
import { fieldsOf } from './codec.js'
import type { BatchEvent, RunEvent, RunListener } from './events.js'
import { Log } from './log.js'

/**
 * The durable record of a run and the source of its one stream of events: an event is written first, and then the
 * listeners hear of it, in their order. Every method throws a LogWriteError when the disk refuses; the listeners do not
 * hear of that event.
 */
export class Checkpoint {
  readonly #log: Log
  readonly #listeners: readonly RunListener[]

  /** Continues behind the whole lines of the file. */
  constructor(
    path: string,
    { bytes, head }: { bytes: number; head: string },
    listeners: readonly RunListener[] = [],
  ) {
    this.#log = new Log(path, bytes, head)
    this.#listeners = listeners
  }

  /** The hash of the last line: with a copy of it one can prove later that nothing was altered. */
  get head(): string {
    return this.#log.head
  }

  /** Adds an event that may be lost in a crash, as an outcome without a call. It is on disk with the next that matters. */
  add(event: RunEvent, item?: Item): void {
    this.#log.add(fieldsOf(event))
    this.#tell(event, item)
  }

  /** Adds an event, and returns when a kill cannot take it away; a power cut may. */
  note(event: RunEvent, item?: Item): void {
    this.#log.add(fieldsOf(event))
    this.#log.flush()
    this.#tell(event, item)
  }

  /** Adds an event, and resolves when it is on disk. A settled item counts only then. */
  async record(event: RunEvent, item?: Item): Promise<void> {
    this.#log.add(fieldsOf(event))
    // A kill must not take it away while an earlier sync is under way.
    this.#log.flush()
    await this.#log.sync()
    this.#tell(event, item)
  }

  /** Resolves when all that was added is on disk. */
  synced(): Promise<void> {
    return this.#log.sync()
  }

  async close(): Promise<void> {
    await this.#log.sync()
    this.#log.close()
  }

  settle(settled: SettledItem, item?: Item): void {
    this.add({ event: 'settled', settled }, item)
  }

  settleDurably(settled: SettledItem, item?: Item): Promise<void> {
    return this.record({ event: 'settled', settled }, item)
  }

  noteSent(item: Item, at: string, isRead: boolean): void {
    const { ordinal } = item
    this.note({ event: isRead ? 'check-sent' : 'call-sent', ordinal, id: nameOf(item), at }, item)
  }

  noteBack(item: Item, at: string, { reason, httpStatus }: Outcome, isRead: boolean): void {
    const event = { event: 'call-returned', ordinal: item.ordinal, reason, httpStatus, at } as const
    this.note(isRead ? { ...event, isRead } : event, item)
  }

  carryOpen(item: Item, { calls, isAnswerLost }: EarlierCalls): void {
    this.add({ event: 'calls-carried', ordinal: item.ordinal, id: nameOf(item), calls, isAnswerLost }, item)
  }

  noteBatch({ batch: reference, ...note }: BatchNote): void {
    const { n: ordinals, http: httpStatus, ...rest } = note as Record<string, unknown>
    this.note({ event: 'batch', reference, ...rest, ordinals, httpStatus } as unknown as BatchEvent)
  }

  #tell(event: RunEvent, item: Item | undefined): void {
    for (const listener of this.#listeners) listener.on(event, item)
  }
}

export type BatchNote = { batch: string; at: string } & (
  | { did: 'sent'; n: number[] }
  | { did: 'accepted'; job: string }
  | { did: 'returned' | 'asked in vain'; reason: string; http: number | null }
  | { did: 'split' | 'asked' }
)
