import type { BatchNote } from '../checkpoint/batch-notes.js'
import { Bitset } from '../checkpoint/bitset.js'
import type { CheckpointEvent, InputChangedEvent } from '../checkpoint/checkpoint.js'
import { faultOfShape, firstField } from '../checkpoint/line-shapes.js'
import { Tally } from '../checkpoint/tally.js'
import type { Status } from '../item.js'
import { inDigits } from '../system/text.js'

/** What was sent for an item that is not settled. */
interface Calls {
  /** Null where a batch names only its items' places. */
  id: string | null
  calls: number
}

/** Who is at work where a line stands: nobody before the start and after an end, the takeover after a changed input. */
type Phase = 'nobody' | 'run' | 'takeover'

const isReason = (value: unknown) => typeof value === 'string' && /^[a-z0-9_]{1,60}$/i.test(value)

const events: Record<CheckpointEvent['event'], true> = {
  started: true,
  resumed: true,
  'input-changed': true,
  paused: true,
  continued: true,
  throttled: true,
  waited: true,
  stopped: true,
  finished: true,
}

/**
 * Holds each line against those before it: whether a run can have written it there. Counts along, without the code
 * that runs use to read their checkpoint.
 */
export class LineRules {
  settled = new Bitset()
  tally = new Tally()
  readonly requests = { sent: 0, rateLimited: 0 }
  readonly events: CheckpointEvent[] = []
  /** Lines that are dated before the run began: a clock was set. */
  linesTooEarly = 0
  #phase: Phase = 'nobody'
  #open = new Map<number, Calls>()
  #openBefore = new Map<string, Calls>()
  readonly #batches = new Map<string, readonly number[]>()
  /** Rows of the input, as it was accepted last. */
  read: number
  readonly #startedAt: string
  /** Asked whether an item was settled so before the input changed. */
  readonly #wasSettled: (fields: Record<string, unknown>) => boolean

  constructor(
    run: { read: number; startedAt: string },
    wasSettled: (fields: Record<string, unknown>) => boolean,
  ) {
    this.read = run.read
    this.#startedAt = run.startedAt
    this.#wasSettled = wasSettled
  }

  /** What is wrong with the line; null when nothing is. */
  add(fields: Record<string, unknown>): string | null {
    const fault = faultOfShape(fields)
    if (fault !== null) return fault
    if (typeof fields.at === 'string' && fields.at < this.#startedAt) this.linesTooEarly += 1
    if ('event' in fields) return this.#event(fields as unknown as CheckpointEvent)
    if ('batch' in fields) return this.#batch(fields as unknown as BatchNote)
    const kind = firstField(fields)
    const ordinal = fields[kind] as number
    if (ordinal >= this.read)
      return `is about item ${inDigits(ordinal)}, and the input has ${inDigits(this.read)} (counted from 0)`
    const isTakeover = this.#phase === 'takeover'
    if (kind === 'carried')
      return isTakeover ? this.#carried(ordinal, fields) : 'carries calls over, and no input has changed'
    if (this.#phase === 'nobody' || (isTakeover && kind !== 'n'))
      return 'stands where the run was not at work'
    if (kind === 'n')
      return isReason(fields.reason) ? this.#settle(ordinal, fields) : 'has no usable "reason"'
    if (this.settled.has(ordinal))
      return `is about a call for item ${inDigits(ordinal)}, which was settled before`
    if (kind === 'back') {
      if (fields.reason === 'rate_limited') this.requests.rateLimited += 1
      return this.#open.has(ordinal)
        ? null
        : `is the answer to a call for item ${inDigits(ordinal)} that was not sent`
    }
    const id = fields.id as string
    const before = this.#open.get(ordinal) ?? { id, calls: 0 }
    this.requests.sent += 1
    this.#open.set(ordinal, { id, calls: before.calls + 1 })
    return before.id === id ? null : `calls item ${inDigits(ordinal)} as ${id}, which was ${before.id} before`
  }

  #settle(ordinal: number, fields: Record<string, unknown>): string | null {
    const { id, status, attempts } = fields
    const sent = this.#open.get(ordinal)
    const calls = sent?.calls ?? 0
    this.#open.delete(ordinal)
    if (!this.settled.add(ordinal)) return `settles item ${inDigits(ordinal)} a second time`
    this.tally.add(status as Status, fields.reason as string)
    if (this.#phase === 'takeover')
      return this.#wasSettled(fields)
        ? null
        : `says what became of ${id} before the input changed, and it did not`
    if (sent !== undefined && sent.id !== null && sent.id !== id)
      return `settles item ${inDigits(ordinal)} as ${id}, and ${sent.id} was called`
    if (attempts !== calls)
      return `says that ${id} was called ${attempts} times, and ${calls} calls are noted`
    const isCalled = status === 'succeeded' || status === 'failed' || status === 'unknown'
    return isCalled && calls === 0 ? `says that ${id} is ${status}, and no call is noted` : null
  }

  #batch(note: BatchNote): string | null {
    if (this.#phase !== 'run') return 'stands where the run was not at work'
    if (note.did === 'sent' || note.did === 'asked') this.requests.sent += 1
    if ('reason' in note && note.reason === 'rate_limited') this.requests.rateLimited += 1
    if (note.did === 'split')
      for (const ordinal of this.#batches.get(note.batch) ?? []) this.#open.delete(ordinal)
    if (note.did !== 'sent')
      return this.#batches.has(note.batch) ? null : 'is about a batch that was not sent'
    if (note.n === undefined) return 'sends a batch of nobody'
    this.#batches.set(note.batch, note.n)
    for (const ordinal of note.n) {
      if (ordinal >= this.read)
        return `sends item ${inDigits(ordinal)}, and the input has ${inDigits(this.read)}`
      this.#open.set(ordinal, { id: null, calls: (this.#open.get(ordinal)?.calls ?? 0) + 1 })
    }
    return null
  }

  #carried(ordinal: number, { id, calls }: Record<string, unknown>): string | null {
    const before = this.#openBefore.get(id as string)
    this.#open.set(ordinal, { id: id as string, calls: calls as number })
    return before?.calls === calls
      ? null
      : `carries over ${calls} calls for ${id}, and ${before?.calls ?? 0} are noted`
  }

  #event(event: CheckpointEvent): string | null {
    const phase = this.#phase
    this.events.push(event)
    switch (event.event) {
      case 'started':
        this.#phase = 'run'
        return this.events.length === 1 ? null : 'starts a run that had been started'
      case 'resumed':
        this.#phase = 'run'
        return this.events.length === 1 ? 'resumes a run that was never started' : null
      case 'input-changed':
        return this.#inputChanged(event)
      case 'stopped':
      case 'finished':
        this.#phase = 'nobody'
        if (phase !== 'run') return 'ends a run that was not at work'
        return event.event === 'finished' && this.settled.size < this.read
          ? `says that the run is finished, and ${inDigits(this.read - this.settled.size)} items are not settled`
          : null
      default:
        return events[event.event]
          ? null
          : `has an event that this version does not know: ${JSON.stringify((event as { event: string }).event)}`
    }
  }

  /** All ordinals are void; what was sent and settled nothing is carried over by ID. */
  #inputChanged({ plan }: InputChangedEvent): string | null {
    this.#phase = 'takeover'
    this.#openBefore = new Map([...this.#open.values()].map((calls) => [calls.id ?? '', calls]))
    this.#open = new Map()
    this.settled = new Bitset()
    this.tally = new Tally()
    if (!Number.isSafeInteger(plan?.read)) return 'has no usable "plan"'
    this.read = plan.read
    return null
  }
}
