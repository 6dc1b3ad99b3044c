import { statSync } from 'node:fs'
import type { PriorCalls } from '../item.js'
import { Bitset } from './bitset.js'
import { eventOf, isLifecycle } from './codec.js'
import type { BatchEvent, LifecycleEvent, RunEvent, RunListener } from './events.js'
import { firstHead, readSpan } from './log.js'
import { type Line, scanCheckpoint, statusAndReason } from './scan.js'
import { Tally } from './summary.js'

/** An item that was called and is not settled. */
interface OpenCalls extends PriorCalls {
  /** Calls that were answered or never got there; the outcome of the others is not known. */
  back: number
}

/** A batch that was sent, and not all of its items are settled. */
export interface OpenBatch extends OpenCalls {
  reference: string
  ordinals: readonly number[]
  /** Null until the API has accepted it. */
  job: string | null
  firstSentAt: string
}

const notCalled: OpenCalls = { calls: 0, back: 0, isAnswerLost: false }

/** All that a checkpoint says, without the items themselves. While the run is at work it hears every event. */
export class CheckpointState implements RunListener {
  /** Ordinals of settled items. */
  readonly settled = new Bitset()
  readonly tally = new Tally()
  /** By ordinal. */
  readonly open = new Map<number, OpenCalls>()
  /** By reference. */
  readonly batches = new Map<string, OpenBatch>()
  readonly events: LifecycleEvent[] = []
  readonly requests = { sent: 0, rateLimited: 0 }
  /** Length of the whole lines, and the hash of the last. */
  bytes = 0
  head = firstHead
  #sweepAt = 64

  on(event: RunEvent): void {
    switch (event.event) {
      case 'settled':
        if (this.settle(event.settled.ordinal)) this.tally.add(event.settled.status, event.settled.reason)
        return
      case 'call-sent':
      case 'check-sent':
        this.send(event.ordinal, event.event === 'check-sent')
        return
      case 'call-returned':
        if (event.reason === 'rate_limited') this.requests.rateLimited += 1
        if (event.isRead !== true && this.open.has(event.ordinal))
          this.open.set(event.ordinal, returned(this.open.get(event.ordinal)!))
        return
      case 'calls-carried': {
        const { ordinal, calls, isAnswerLost } = event
        this.open.set(ordinal, { calls, back: isAnswerLost ? calls - 1 : calls, isAnswerLost })
        return
      }
      case 'batch':
        this.#batch(event)
        return
      default:
        this.events.push(event)
        if (event.event !== 'input-changed') return
        this.settled.clear()
        this.open.clear()
        this.batches.clear()
        this.tally.clear()
    }
  }

  /** Whether the item was not settled before. */
  settle(ordinal: number): boolean {
    this.open.delete(ordinal)
    return this.settled.add(ordinal)
  }

  /** A check changes nothing, so its answer cannot be lost. */
  send(ordinal: number, isCheck: boolean): void {
    const { calls, back, isAnswerLost } = this.open.get(ordinal) ?? notCalled
    this.requests.sent += 1
    this.open.set(
      ordinal,
      isCheck
        ? { calls: calls + 1, back: back + 1, isAnswerLost }
        : { calls: calls + 1, back, isAnswerLost: true },
    )
  }

  #batch(event: BatchEvent): void {
    const { reference } = event
    const open = this.batches.get(reference)
    if (event.did === 'sent' || event.did === 'asked') this.requests.sent += 1
    if ('reason' in event && event.reason === 'rate_limited') this.requests.rateLimited += 1
    if (event.did === 'sent') {
      const { calls, back, firstSentAt } = open ?? { ...notCalled, firstSentAt: event.at }
      const { ordinals } = event
      const sent = { calls: calls + 1, back, isAnswerLost: true }
      this.batches.set(reference, { reference, ordinals, job: null, firstSentAt, ...sent })
      if (this.batches.size < this.#sweepAt) return
      this.dropSettledBatches()
      this.#sweepAt = 2 * this.batches.size + 64
    }
    if (open === undefined) return
    if (event.did === 'accepted') this.batches.set(reference, { ...open, job: event.job })
    if (event.did === 'returned') this.batches.set(reference, { ...open, ...returned(open) })
    if (event.did === 'split') this.batches.delete(reference)
  }

  /** Forgets the batches of which every item is settled. */
  dropSettledBatches(): void {
    for (const [reference, { ordinals }] of this.batches) {
      if (ordinals.every((ordinal) => this.settled.has(ordinal))) this.batches.delete(reference)
    }
  }
}

/** An answer that belongs to no call must not hide that a later one is lost. */
function returned({ calls, back }: OpenCalls): OpenCalls {
  const backNow = Math.min(calls, back + 1)
  return { calls, back: backNow, isAnswerLost: backNow < calls }
}

interface Hearers {
  onSettled?: (ordinal: number, offset: number) => void
  onInputChanged?: () => void
  onLine?: (line: Line) => void
}

/**
 * Reads a checkpoint once, up to `bytesMax`. `onSettled` is told where the line of each settled item begins, and
 * `onInputChanged` that the ordinals so far are void. A torn last line is not counted. Throws a UsageError that names a
 * line which is not ours.
 */
export function readCheckpoint(
  path: string,
  { bytesMax, ...hearers }: Hearers & { bytesMax?: number } = {},
): CheckpointState {
  const reader = new StateReader(hearers)
  const { bytes, head } = scanCheckpoint(path, (line) => reader.onLine(line), bytesMax)
  return reader.done(bytes, head)
}

/** Takes the lines of a checkpoint, and says what they come to. Settled items are counted by their first bytes. */
export class StateReader {
  readonly #state = new CheckpointState()
  readonly #counts = new Map<string, number>()
  readonly #hearers: Hearers

  constructor(hearers: Hearers = {}) {
    this.#hearers = hearers
  }

  onLine(line: Line): void {
    const { onLine, onSettled, onInputChanged } = this.#hearers
    onLine?.(line)
    if (line.kind === 'settled') {
      const outcome = line.outcome()
      if (!this.#state.settle(line.ordinal)) return
      this.#counts.set(outcome, (this.#counts.get(outcome) ?? 0) + 1)
      onSettled?.(line.ordinal, line.offset)
    } else if (line.kind !== 'other') this.#state.send(line.ordinal, line.kind === 'check-sent')
    else {
      const event = line.event()
      this.#state.on(event)
      if (event.event !== 'input-changed') return
      this.#counts.clear()
      onInputChanged?.()
    }
  }

  /** The state, with the length of the whole lines and the hash of the last. */
  done(bytes: number, head: string): CheckpointState {
    for (const [outcome, times] of this.#counts) this.#state.tally.add(...statusAndReason(outcome), times)
    this.#state.dropSettledBatches()
    return Object.assign(this.#state, { bytes, head })
  }
}

const longestEventBytes = 64 * 1024

/** The last line of a checkpoint if it is about the run as a whole: a run that ended in order ends with one. */
export function lastEvent(path: string): LifecycleEvent | null {
  try {
    const { size } = statSync(path)
    const text = readSpan(path, Math.max(0, size - longestEventBytes), size).toString()
    const event = text.endsWith('\n')
      ? eventOf(text.slice(text.lastIndexOf('\n', text.length - 2) + 1))
      : null
    return event !== null && isLifecycle(event) ? event : null
  } catch {
    return null
  }
}
