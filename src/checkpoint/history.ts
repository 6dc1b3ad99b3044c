import type { LifecycleEvent } from './events.js'
import type { RunFile } from './run-file.js'
import { scanCheckpoint } from './scan.js'

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

/** Reads when things happened from a checkpoint which `readCheckpoint` has found whole. */
export function readHistory(path: string, see: History, bytesMax?: number): { head: string; lastMs: number } {
  const inFlight = new Map<number, number>()
  let lastMs = Number.NEGATIVE_INFINITY
  const answered = (ordinal: number, atMs: number) => {
    const sentMs = inFlight.get(ordinal)
    if (sentMs === undefined) return
    inFlight.delete(ordinal)
    see.onAnswer(Math.max(0, atMs - sentMs))
  }
  const { head } = scanCheckpoint(
    path,
    (line) => {
      const atMs = line.atMs()
      if (atMs > lastMs) lastMs = atMs
      if (line.kind !== 'other' && !(atMs >= 0 && atMs < yearTenThousandMs)) throw line.notOurs()
      if (line.kind === 'settled') {
        answered(line.ordinal, atMs)
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
          answered(event.ordinal, atMs)
          return see.onBack(event.reason)
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
    },
    bytesMax,
  )
  return { head, lastMs }
}

/** The run with its input as it was last accepted. */
export function withAcceptedInput(run: RunFile, { events }: { events: readonly LifecycleEvent[] }): RunFile {
  const accepted = events.findLast((event) => event.event === 'input-changed')
  return accepted === undefined
    ? run
    : { ...run, input: accepted.input, plan: accepted.plan, duplicates: undefined }
}
