import { Bitset } from '../checkpoint/bitset.js'
import type { BatchEvent, ItemEvent, LifecycleEvent, RunEvent } from '../checkpoint/events.js'
import { Tally } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { inDigits } from '../system/text.js'

/** What was sent for an item that is not settled. */
interface Calls {
  /** Null where a batch names only its items' places. */
  id: string | null
  calls: number
}

/** Who is at work where a line stands: nobody before the start and after an end, the takeover after a changed input. */
type Phase = 'nobody' | 'run' | 'takeover'

const isReason = (text: string) => /^[a-z0-9_]{1,60}$/i.test(text)

const events: Record<LifecycleEvent['event'], true> = {
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
  readonly events: LifecycleEvent[] = []
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
  readonly #wasSettled: (item: SettledItem) => boolean

  constructor(run: { read: number; startedAt: string }, wasSettled: (item: SettledItem) => boolean) {
    this.read = run.read
    this.#startedAt = run.startedAt
    this.#wasSettled = wasSettled
  }

  /** What is wrong with the line; null when nothing is. */
  add(event: RunEvent): string | null {
    const at = event.event === 'settled' ? event.settled.finishedAt : 'at' in event ? event.at : null
    if (at !== null && at < this.#startedAt) this.linesTooEarly += 1
    switch (event.event) {
      case 'settled':
      case 'call-sent':
      case 'check-sent':
      case 'call-returned':
      case 'calls-carried':
        return this.#item(event)
      case 'batch':
        return this.#batch(event)
      default:
        return this.#lifecycle(event)
    }
  }

  #item(event: Exclude<ItemEvent, BatchEvent>): string | null {
    const { ordinal } = event.event === 'settled' ? event.settled : event
    if (ordinal >= this.read)
      return `is about item ${inDigits(ordinal)}, and the input has ${inDigits(this.read)} (counted from 0)`
    const isTakeover = this.#phase === 'takeover'
    if (event.event === 'calls-carried')
      return isTakeover ? this.#carried(event) : 'carries calls over, and no input has changed'
    if (this.#phase === 'nobody' || (isTakeover && event.event !== 'settled'))
      return 'stands where the run was not at work'
    if (event.event === 'settled')
      return isReason(event.settled.reason) ? this.#settle(event.settled) : 'has no usable "reason"'
    if (this.settled.has(ordinal))
      return `is about a call for item ${inDigits(ordinal)}, which was settled before`
    if (event.event === 'call-returned') {
      if (event.reason === 'rate_limited') this.requests.rateLimited += 1
      return this.#open.has(ordinal)
        ? null
        : `is the answer to a call for item ${inDigits(ordinal)} that was not sent`
    }
    const { id } = event
    const before = this.#open.get(ordinal) ?? { id, calls: 0 }
    this.requests.sent += 1
    this.#open.set(ordinal, { id, calls: before.calls + 1 })
    return before.id === id ? null : `calls item ${inDigits(ordinal)} as ${id}, which was ${before.id} before`
  }

  #settle(item: SettledItem): string | null {
    const { ordinal, id, status, attempts } = item
    const sent = this.#open.get(ordinal)
    const calls = sent?.calls ?? 0
    this.#open.delete(ordinal)
    if (!this.settled.add(ordinal)) return `settles item ${inDigits(ordinal)} a second time`
    this.tally.add(status, item.reason)
    if (this.#phase === 'takeover')
      return this.#wasSettled(item)
        ? null
        : `says what became of ${id} before the input changed, and it did not`
    if (sent !== undefined && sent.id !== null && sent.id !== id)
      return `settles item ${inDigits(ordinal)} as ${id}, and ${sent.id} was called`
    if (attempts !== calls)
      return `says that ${id} was called ${attempts} times, and ${calls} calls are noted`
    const isCalled = status === 'succeeded' || status === 'failed' || status === 'unknown'
    return isCalled && calls === 0 ? `says that ${id} is ${status}, and no call is noted` : null
  }

  #batch(note: BatchEvent): string | null {
    if (this.#phase !== 'run') return 'stands where the run was not at work'
    if (note.did === 'sent' || note.did === 'asked') this.requests.sent += 1
    if ('reason' in note && note.reason === 'rate_limited') this.requests.rateLimited += 1
    if (note.did === 'split')
      for (const ordinal of this.#batches.get(note.reference) ?? []) this.#open.delete(ordinal)
    if (note.did !== 'sent')
      return this.#batches.has(note.reference) ? null : 'is about a batch that was not sent'
    this.#batches.set(note.reference, note.ordinals)
    for (const ordinal of note.ordinals) {
      if (ordinal >= this.read)
        return `sends item ${inDigits(ordinal)}, and the input has ${inDigits(this.read)}`
      this.#open.set(ordinal, { id: null, calls: (this.#open.get(ordinal)?.calls ?? 0) + 1 })
    }
    return null
  }

  #carried({ ordinal, id, calls }: Extract<ItemEvent, { event: 'calls-carried' }>): string | null {
    const before = this.#openBefore.get(id)
    this.#open.set(ordinal, { id, calls })
    return before?.calls === calls
      ? null
      : `carries over ${calls} calls for ${id}, and ${before?.calls ?? 0} are noted`
  }

  #lifecycle(event: LifecycleEvent): string | null {
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
        return this.#inputChanged(event.plan.read)
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
  #inputChanged(read: number): null {
    this.#phase = 'takeover'
    this.#openBefore = new Map([...this.#open.values()].map((calls) => [calls.id ?? '', calls]))
    this.#open = new Map()
    this.settled = new Bitset()
    this.tally = new Tally()
    this.read = read
    return null
  }
}
