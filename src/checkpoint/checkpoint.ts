import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Item } from '../item.js'
import { messageOf } from '../system/text.js'
import { fieldsOf, isReadable } from './codec.js'
import type { RunEvent, RunListener } from './events.js'
import { Log } from './log.js'

/**
 * The durable record of a run and the source of its one stream of events: an event is written first, and then the
 * listeners hear of it, in their order. Every method throws a LogWriteError when the disk refuses; the listeners do not
 * hear of that event.
 */
export class Checkpoint {
  readonly #path: string
  readonly #log: Log
  readonly #listeners: RunListener[] = []

  /** Continues behind the whole lines of the file. Writes nothing more once `isOurs` says no. */
  constructor(path: string, { bytes, head }: { bytes: number; head: string }, isOurs?: () => boolean) {
    this.#path = path
    this.#log = new Log(path, bytes, head, isOurs)
  }

  /** From here on they hear every event once it is written. */
  listen(...listeners: readonly RunListener[]): void {
    this.#listeners.push(...listeners)
  }

  /** The hash of the last line: with a copy of it one can prove later that nothing was altered. */
  get head(): string {
    return this.#log.head
  }

  /** Adds an event that may be lost in a crash, as an outcome without a call. It is on disk with the next that matters. */
  add(event: RunEvent, item?: Item): void {
    this.#write(event)
    this.#tell(event, item)
  }

  /** Adds an event, and returns when a kill cannot take it away; a power cut may. */
  note(event: RunEvent, item?: Item): void {
    this.#write(event)
    this.#log.flush()
    this.#tell(event, item)
  }

  /** Adds an event, and resolves when it is on disk. A settled item counts only then. */
  async record(event: RunEvent, item?: Item): Promise<void> {
    this.#write(event)
    // A kill must not take it away while an earlier sync is under way.
    this.#log.flush()
    await this.#log.sync()
    this.#tell(event, item)
  }

  /** Resolves when all that was added is on disk. */
  synced(): Promise<void> {
    return this.#log.sync()
  }

  /** Whether somebody has removed, renamed or replaced the file while it is written. */
  isGone(): boolean {
    return this.#log.isGone()
  }

  get whyGone(): string {
    return `${this.#path} was removed, renamed or replaced while the run was at work`
  }

  /** Keeps what is written of a file that is gone, and says where. */
  rescue(): string {
    const directory = dirname(this.#path)
    const path = existsSync(directory)
      ? this.#path.replace(/jsonl$/, 'rescued.jsonl')
      : `${directory}.checkpoint.jsonl`
    try {
      this.#log.copyTo(path)
      return `what was done is kept in ${path}: put it back under its name, and resume the run`
    } catch (error) {
      return `what was done could not be kept (${messageOf(error)})`
    }
  }

  async close(): Promise<void> {
    await this.#log.sync()
    this.#log.close()
  }

  /** Nothing gets into the record that cannot be read out of it. */
  #write(event: RunEvent): void {
    if (!isReadable(event)) throw new Error(`The checkpoint takes no such event: ${JSON.stringify(event)}`)
    this.#log.add(fieldsOf(event))
  }

  #tell(event: RunEvent, item: Item | undefined): void {
    for (const listener of this.#listeners) listener.on(event, item)
  }
}
