import { type EarlierCalls, type Item, nameOf, type Outcome, type SettledItem } from '../item.js'
import type { RateWindow } from '../settings/limits.js'
import type { Fingerprinted, RunSettings } from '../settings/run-settings.js'
import type { BatchNote } from './batch-notes.js'
import { Log } from './log.js'
import type { CheckpointState } from './read.js'
import { lineOf } from './settled-line.js'

/** What happens to a run as a whole. */
export type CheckpointEvent = StartEvent | InputChangedEvent | ControlEvent | WaitedEvent | EndEvent

export interface StartEvent {
  event: 'started' | 'resumed'
  at: string
  by: string
  host: string
  pid: number
  version: string
  /** Items that a person allowed to be called, over all executions of the run. */
  confirmed: number
  /** The hold lists, as they were read for this execution. */
  hold?: Fingerprinted[]
  /** How this execution goes; a resumed run may be told otherwise than the one before. */
  settings: RunSettings
  /** SHA-256 of run.json, so that what was asked is a part of the chain. */
  runFile?: string
}

/** Ordinals of all lines before it are void: the settled items that still matter stand again behind it. */
export interface InputChangedEvent {
  event: 'input-changed'
  at: string
  input: Fingerprinted[]
  plan: { read: number; calls: number }
}

/** Somebody changed the run from outside while it went, or between two executions. */
export type ControlEvent = { at: string; by: string; host: string } & (
  | { event: 'paused' }
  | { event: 'continued' }
  /** Null where nothing was changed. */
  | { event: 'throttled'; share: number | null; limits: readonly RateWindow[] | 'none' | null }
)

/**
 * Where the time went since the line before of this kind, or since the execution began: milliseconds by what was
 * waited for. `calling` is no wait; a window is called `window 300/60000`, as the API has it; the others are the
 * kinds of `Waiting`. Written about once a minute and at the end; the last minute before a crash is not known.
 */
export interface WaitedEvent {
  event: 'waited'
  at: string
  ms: Record<string, number>
}

export type EndEvent =
  | { event: 'stopped'; at: string; exitCode: number; because: string }
  | { event: 'finished'; at: string; exitCode: number }

/**
 * The durable record of a run, and the one source of truth about it: one line per settled item, and notes of the
 * calls that left, so that a resumed run knows which answers were lost.
 */
export class Checkpoint {
  readonly #log: Log

  constructor(path: string, state: Pick<CheckpointState, 'bytes' | 'head'>) {
    this.#log = new Log(path, state.bytes, state.head)
  }

  /** The hash of the last line: whoever keeps it elsewhere can prove later that nothing was altered. */
  get head(): string {
    return this.#log.head
  }

  /** Settles an item that needed no call. It is on disk with the next line that matters. */
  settle(settled: SettledItem): void {
    this.#log.add(lineOf(settled))
  }

  /** Settles an item; resolves when that is on disk. Only then does the item count as settled. */
  async settleDurably(settled: SettledItem): Promise<void> {
    this.#log.add(lineOf(settled))
    // While an earlier sync is under way a kill shall not take it away.
    this.#log.flush()
    await this.#log.sync()
  }

  /** Notes that a call leaves now, one that may change something or one that only looks. Written before it returns, so that a kill cannot take it away. */
  noteSent(item: Item, at: string, isRead: boolean): void {
    this.#log.add({ [isRead ? 'look' : 'sent']: item.ordinal, id: nameOf(item), at })
    this.#log.flush()
  }

  /** Notes that the call was answered (or never left), and that the item is not settled by it. */
  noteBack(item: Item, at: string, outcome: Outcome, isRead: boolean): void {
    const { reason, httpStatus: http } = outcome
    this.#log.add({ back: item.ordinal, reason, http, at, ...(isRead ? { read: true } : {}) })
    this.#log.flush()
  }

  /** Notes again, under the item's ordinal in a changed input, what is known of calls that settled nothing. */
  carryOpen(item: Item, earlier: EarlierCalls): void {
    this.#log.add({
      carried: item.ordinal,
      id: nameOf(item),
      calls: earlier.calls,
      lost: earlier.isAnswerLost,
    })
  }

  /** Written before it returns. What must not be lost in a power cut either waits for `synced`. */
  noteBatch(note: BatchNote): void {
    this.#log.add(note)
    this.#log.flush()
  }

  synced(): Promise<void> {
    return this.#log.sync()
  }

  async record(event: CheckpointEvent): Promise<void> {
    this.#log.add(event)
    await this.#log.sync()
  }

  /** Adds what may be lost in a power cut. */
  note(event: WaitedEvent): void {
    this.#log.add(event)
    this.#log.flush()
  }

  async close(): Promise<void> {
    await this.#log.sync()
    this.#log.close()
  }
}
