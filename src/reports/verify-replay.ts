import { Bitset } from '../checkpoint/bitset.js'
import {
  type BatchEvent,
  eventSchemas,
  type ItemEvent,
  type LifecycleEvent,
  type RunEvent,
} from '../checkpoint/events.js'
import { Tally } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { counted, inDigits } from '../system/text.js'

/** The calls that are noted for an item that is not settled. */
interface OpenCalls {
  /** Null where a batch names only the ordinals of its items. */
  id: string | null
  calls: number
}

/** What the run does at a line: nothing before its start and after an end; it takes over after a changed input. */
type Phase = 'idle' | 'at work' | 'taking over'

const notAtWork = 'comes when the run was not at work'

/**
 * Holds each event against those before it: whether a run can have written it there. Counts along, by its own rules:
 * it shares none of the code by which a run is resumed.
 */
export class Replay {
  /** Rows of the input, as it was accepted last. */
  read: number
  tally = new Tally()
  readonly requests = { sent: 0, rateLimited: 0 }
  readonly events: LifecycleEvent[] = []
  /** Lines that are dated before the run began: a clock was set. */
  linesTooEarly = 0
  readonly #startedAt: string
  readonly #wasSettled: (item: SettledItem) => boolean
  #phase: Phase = 'idle'
  #settled = new Bitset()
  #open = new Map<number, OpenCalls>()
  #openBefore = new Map<string | null, OpenCalls>()
  readonly #batches = new Map<string, readonly number[]>()

  /** `wasSettled`: whether an item was settled exactly so before the input changed last. */
  constructor(read: number, startedAt: string, wasSettled: (item: SettledItem) => boolean) {
    this.read = read
    this.#startedAt = startedAt
    this.#wasSettled = wasSettled
  }

  /** Says what is wrong with the event; null when nothing is. */
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
    const item = `item ${inDigits(ordinal)}`
    if (ordinal >= this.read)
      return `is about ${item}, and the input has ${inDigits(this.read)} (counted from 0)`
    if (event.event === 'settled') return this.#phase === 'idle' ? notAtWork : this.#settle(event.settled)
    if (event.event === 'calls-carried') return this.#carry(event)
    if (this.#phase !== 'at work') return notAtWork
    if (this.#settled.has(ordinal)) return `is about a call for ${item}, which was settled before`
    if (event.event === 'call-returned') {
      if (event.reason === 'rate_limited') this.requests.rateLimited += 1
      return this.#open.has(ordinal) ? null : `is the answer to a call for ${item} that was not sent`
    }
    this.requests.sent += 1
    const { id } = this.#noteCall(ordinal, event.id)
    return id === event.id ? null : `calls ${item} as ${event.id}, which was ${id} before`
  }

  #noteCall(ordinal: number, id: string | null): OpenCalls {
    const open = this.#open.get(ordinal) ?? { id, calls: 0 }
    open.calls += 1
    this.#open.set(ordinal, open)
    return open
  }

  #settle(item: SettledItem): string | null {
    const { ordinal, id, status, reason, attempts } = item
    if (!/^[a-z0-9_]{1,60}$/i.test(reason)) return 'has no usable "reason"'
    const sent = this.#open.get(ordinal)
    const calls = sent?.calls ?? 0
    this.#open.delete(ordinal)
    if (!this.#settled.add(ordinal)) return `settles item ${inDigits(ordinal)} a second time`
    this.tally.add(status, reason)
    if (this.#phase === 'taking over')
      return this.#wasSettled(item)
        ? null
        : `says that ${id} was settled so before the input changed, and it was not`
    if (sent !== undefined && sent.id !== null && sent.id !== id)
      return `settles item ${inDigits(ordinal)} as ${id}, and ${sent.id} was called`
    if (attempts !== calls)
      return `says that ${id} was called ${attempts} times, and ${calls} calls are noted`
    const isCalled = status === 'succeeded' || status === 'failed' || status === 'unknown'
    return isCalled && calls === 0 ? `says that ${id} is ${status}, and no call is noted` : null
  }

  #carry({ ordinal, id, calls }: Extract<ItemEvent, { event: 'calls-carried' }>): string | null {
    if (this.#phase !== 'taking over') return 'carries calls over, and no input has changed'
    const before = this.#openBefore.get(id)?.calls ?? 0
    this.#open.set(ordinal, { id, calls })
    return before === calls ? null : `carries over ${calls} calls for ${id}, and ${before} are noted`
  }

  #batch(event: BatchEvent): string | null {
    if (this.#phase !== 'at work') return notAtWork
    if (event.did === 'sent' || event.did === 'asked') this.requests.sent += 1
    if ('reason' in event && event.reason === 'rate_limited') this.requests.rateLimited += 1
    if (event.did !== 'sent') {
      const ordinals = this.#batches.get(event.reference)
      if (event.did === 'split') for (const ordinal of ordinals ?? []) this.#open.delete(ordinal)
      return ordinals === undefined ? 'is about a batch that was not sent' : null
    }
    this.#batches.set(event.reference, event.ordinals)
    for (const ordinal of event.ordinals) {
      if (ordinal >= this.read)
        return `sends item ${inDigits(ordinal)}, and the input has ${inDigits(this.read)}`
      this.#noteCall(ordinal, null)
    }
    return null
  }

  #lifecycle(event: LifecycleEvent): string | null {
    const phase = this.#phase
    this.events.push(event)
    switch (event.event) {
      case 'started':
        this.#phase = 'at work'
        return this.events.length === 1 ? null : 'starts a run that had been started'
      case 'resumed':
        this.#phase = 'at work'
        return this.events.length === 1 ? 'resumes a run that was never started' : null
      case 'input-changed':
        // All ordinals are void; calls that settled nothing are carried over by ID.
        this.#phase = 'taking over'
        this.#openBefore = new Map([...this.#open.values()].map((open) => [open.id, open]))
        this.#open = new Map()
        this.#settled = new Bitset()
        this.tally = new Tally()
        this.read = event.plan.read
        return null
      case 'stopped':
      case 'finished': {
        this.#phase = 'idle'
        if (phase !== 'at work') return 'ends a run that was not at work'
        const left = this.read - this.#settled.size
        return event.event === 'finished' && left > 0
          ? `says that the run is finished, and ${inDigits(left)} items are not settled`
          : null
      }
      case 'damage-accepted':
        return `says that ${counted(event.lines, 'damaged line')} before it were left out, which ${event.by} accepted at ${event.at}`
      default:
        return event.event in eventSchemas
          ? null
          : `has an event that this version does not know: ${JSON.stringify((event as { event: string }).event)}`
    }
  }
}
