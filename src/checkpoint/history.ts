import type { LifecycleEvent } from './events.js'
import type { RunFile } from './run-file.js'
import type { Line } from './scan.js'

/** Hears what happened in a run, in the order in which it did. */
export interface History {
  onEvent(event: LifecycleEvent): void
  /** A call left. */
  onCall(atMs: number): void
  /** A call was answered, or given up, so long after it had left. */
  onAnswer(ms: number): void
  /** A call settled nothing; `no_answer` when none came. */
  onBack(reason: string): void
  /** An item was settled, by a call or without. */
  onSettled(atMs: number): void
}

const noAnswer = 'no_answer'
const yearTenThousandMs = Date.UTC(10_000)

/** Plays the lines of a checkpoint, one after the other. */
export class HistoryReader {
  readonly #see: History
  readonly #inFlight = new Map<number, number>()
  #lastMs = Number.NEGATIVE_INFINITY

  constructor(see: History) {
    this.#see = see
  }

  /** When the last thing happened. */
  get lastMs(): number {
    return this.#lastMs
  }

  readonly onLine = (line: Line): void => {
    const see = this.#see
    const inFlight = this.#inFlight
    const atMs = line.atMs()
    if (atMs > this.#lastMs) this.#lastMs = atMs
    if (line.kind !== 'other' && !(atMs >= 0 && atMs < yearTenThousandMs)) throw line.notOurs()
    if (line.kind === 'settled') {
      this.#answered(line.ordinal, atMs)
      see.onSettled(atMs)
      return
    }
    if (line.kind !== 'other') {
      // It is called again, and the call before was neither answered nor given up: its answer was lost.
      if (inFlight.has(line.ordinal)) see.onBack(noAnswer)
      inFlight.set(line.ordinal, atMs)
      see.onCall(atMs)
      return
    }
    const event = line.event()
    switch (event.event) {
      case 'call-returned':
        this.#answered(event.ordinal, atMs)
        see.onBack(event.reason)
        return
      case 'batch':
        if (event.did === 'sent' || event.did === 'asked') see.onCall(atMs)
        else if ('reason' in event) see.onBack(event.reason)
        return
      case 'settled':
      case 'call-sent':
      case 'check-sent':
      case 'calls-carried':
        return
      case 'resumed':
      case 'input-changed':
        // Calls that were in flight when a process died were never answered.
        for (const _ of inFlight) see.onBack(noAnswer)
        inFlight.clear()
    }
    see.onEvent(event)
  }

  #answered(ordinal: number, atMs: number): void {
    const sentMs = this.#inFlight.get(ordinal)
    if (sentMs === undefined) return
    this.#inFlight.delete(ordinal)
    this.#see.onAnswer(Math.max(0, atMs - sentMs))
  }
}

/** The run with its input as it was last accepted. */
export function withAcceptedInput(run: RunFile, { events }: { events: readonly LifecycleEvent[] }): RunFile {
  const accepted = events.findLast((event) => event.event === 'input-changed')
  return accepted === undefined
    ? run
    : { ...run, input: accepted.input, plan: accepted.plan, duplicates: undefined }
}

/** The run with every hold list that an execution had: one that was added later stays. */
export function withHoldLists(run: RunFile, { events }: { events: readonly LifecycleEvent[] }): RunFile {
  const lists = new Map(run.hold.map((list) => [list.path, list]))
  for (const event of events)
    for (const list of ('hold' in event ? event.hold : null) ?? []) lists.set(list.path, list)
  return { ...run, hold: [...lists.values()] }
}
