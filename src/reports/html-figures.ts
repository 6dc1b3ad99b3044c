import { createHistogram } from 'node:perf_hooks'
import type { LifecycleEvent } from '../checkpoint/events.js'
import { type SettledItem, type Status, statuses } from '../item.js'
import { type PaceSettings, sharedWindows } from '../pacing/allowance.js'
import type { RateWindow } from '../settings/limits.js'
import { mostShare, shareAt, shareText } from '../settings/share.js'
import { type Counts, count } from './html-timeline.js'
import { isFailure } from './html-words.js'

/** Accumulators: each takes items, calls or events one by one, in memory that does not grow with them. */

/** Upper edges of the bars: 1, 2, 5, 10, 20, 50, … milliseconds. */
const edgesMs = Array.from({ length: 8 }, (_, power) => [1, 2, 5].map((digit) => digit * 10 ** power)).flat()

/** How long things took. */
export class Durations {
  readonly #bars = edgesMs.map((toMs, index) => ({ fromMs: edgesMs[index - 1] ?? 0, toMs, times: 0 }))
  /** To three digits. It takes no 0, so that it counts from 1. */
  readonly #histogram = createHistogram()
  #maxMs = 0

  add(ms: number): void {
    const bar = this.#bars.find(({ toMs }) => ms < toMs) ?? this.#bars.at(-1)!
    bar.times += 1
    this.#histogram.record(ms + 1)
    this.#maxMs = Math.max(this.#maxMs, ms)
  }

  /** The least durations that half, 90% and 99% did not exceed, and the longest. */
  summary() {
    const within = (percent: number) => Math.min(this.#maxMs, this.#histogram.percentile(percent) - 1)
    const { count } = this.#histogram
    const [p50, p90, p99] = count === 0 ? [0, 0, 0] : [within(50), within(90), within(99)]
    return { p50, p90, p99, maxMs: this.#maxMs, count }
  }

  /** From the first bar that is not empty to the last. */
  bars() {
    const isFilled = ({ times }: { times: number }) => times > 0
    return this.#bars.slice(this.#bars.findIndex(isFilled), this.#bars.findLastIndex(isFilled) + 1)
  }
}

/** The most that happened in any span of `perMs`; moments come in order. */
export class BusiestSpan {
  readonly perMs: number
  count = 0
  #moments: number[] = []
  #first = 0

  constructor(perMs: number) {
    this.perMs = perMs
  }

  add(atMs: number): void {
    this.#moments.push(atMs)
    while (atMs - this.#moments[this.#first]! >= this.perMs) this.#first += 1
    this.count = Math.max(this.count, this.#moments.length - this.#first)
    if (this.#first < 4096 || this.#first < this.#moments.length / 2) return
    this.#moments = this.#moments.slice(this.#first)
    this.#first = 0
  }
}

/** How the calls of a run compare with its limits, which may have changed on the way. */
export class Pace {
  /** What was allowed from a moment on. */
  readonly #allowed: (PaceSettings & { fromMs: number })[] = []
  readonly #busiest: BusiestSpan[] = []

  constructor(atFirst: PaceSettings) {
    this.#allow(Number.NEGATIVE_INFINITY, atFirst)
  }

  onEvent(event: LifecycleEvent): void {
    const { limits, caps, share } = this.#allowed.at(-1)!
    if (event.event === 'started' || event.event === 'resumed')
      this.#allow(Date.parse(event.at), event.settings)
    if (event.event === 'throttled') {
      const cappedTo = event.limits === 'none' ? [] : event.limits
      this.#allow(Date.parse(event.at), { limits, caps: cappedTo ?? caps, share: event.share ?? share })
    }
  }

  onCall(atMs: number): void {
    for (const span of this.#busiest) span.add(atMs)
  }

  /** Calls a minute at a moment: the API's limit, and what we allow ourselves of it. Null without limits. */
  perMinute(atMs: number): { limit: number; share: number } | null {
    const { limits, caps, share } = this.#allowed.findLast(({ fromMs }) => fromMs <= atMs)!
    if (limits === 'none' || limits.length === 0) return null
    const limit = leastPerMinute(limits)
    return { limit, share: Math.min(limit * shareAt(share, new Date(atMs)), leastPerMinute(caps)) }
  }

  summary() {
    const { limits, caps, share } = this.#allowed.at(-1)!
    return {
      limits,
      caps,
      share,
      isShareChanged: this.#allowed.some((other) => shareText(other.share) !== shareText(share)),
      busiest: this.#busiest.map(({ perMs, count }) => ({ perMs, count, ...this.#mostIn(perMs) })),
    }
  }

  /** The most that was ever allowed in a span of `perMs`; null where no window is so long. */
  #mostIn(perMs: number): { limit: number | null; share: number | null } {
    const most = { limit: 0, share: 0 }
    for (const { limits, caps, share } of this.#allowed) {
      const window = limits === 'none' ? undefined : limits.find((one) => one.perMs === perMs)
      if (window === undefined) continue
      most.limit = Math.max(most.limit, window.max)
      const capsMax = caps.filter((cap) => cap.perMs === perMs).map(({ max }) => max)
      most.share = Math.max(
        most.share,
        Math.min(sharedWindows([window], mostShare(share))[0]!.max, ...capsMax),
      )
    }
    return most.limit === 0 ? { limit: null, share: null } : most
  }

  #allow(fromMs: number, { limits, caps, share }: PaceSettings): void {
    this.#allowed.push({ fromMs, limits, caps, share })
    for (const perMs of limits === 'none' ? [60_000] : limits.map((window) => window.perMs)) {
      if (!this.#busiest.some((span) => span.perMs === perMs)) this.#busiest.push(new BusiestSpan(perMs))
    }
  }
}

const leastPerMinute = (windows: readonly RateWindow[]) =>
  Math.min(...windows.map(({ max, perMs }) => (perMs <= 60_000 ? (max * 60_000) / perMs : max)))

const messagesMax = 1000
const messagesShown = 5
const examplesMax = 3

interface FailureGroup {
  status: Status
  reason: string
  count: number
  /** How often each of the first messages came up. */
  messages: Counts
  /** Items with a message that is not among these. */
  otherMessages: number
  /** The first IDs. */
  examples: string[]
}

/** Groups failures by status and reason, and counts their messages. */
export class FailureGroups {
  readonly #groups = new Map<string, FailureGroup>()

  add({ status, reason, message, id }: SettledItem): void {
    if (!isFailure(status)) return
    const name = `${status} ${reason}`
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = { status, reason, count: 0, messages: new Map(), otherMessages: 0, examples: [] }
      this.#groups.set(name, group)
    }
    group.count += 1
    if (id !== '' && group.examples.length < examplesMax) group.examples.push(id.slice(0, 80))
    if (message === '') return
    const general = id === '' ? message : message.replaceAll(id, '…')
    if (group.messages.has(general) || group.messages.size < messagesMax) count(group.messages, general)
    else group.otherMessages += 1
  }

  /** By status, then the largest first, each with its most frequent messages. */
  summary() {
    const rank = ({ status }: FailureGroup) => statuses.indexOf(status)
    return [...this.#groups.values()]
      .sort((a, b) => rank(a) - rank(b) || b.count - a.count)
      .map((group) => {
        const messages = [...group.messages].sort(([, a], [, b]) => b - a)
        const rest = messages.splice(messagesShown).reduce((sum, [, times]) => sum + times, 0)
        return { ...group, messages, otherMessages: group.otherMessages + rest }
      })
  }
}

/** More rows are too many to look through by hand. */
const rowsMax = 100_000
/** A cell of the input may be a mebibyte. */
const textMax = 300

/** A row of the table: ID, status, reason, HTTP status, calls, settled at, took, message, source, line. */
export type Row = [string, number, number, number | null, number, number, number, number, number, number]

/** Rows of the table: all items, or only failures where there are too many items. */
export class Rows {
  readonly #baseMs: number
  /** Texts that come up again and again, with their numbers. */
  readonly #strings = new Map<string, number>()
  #count = 0
  #failuresLeftOut = 0
  /** As JSON: a string of its own does not keep the whole line in memory that it is a part of. */
  list: string[] = []

  constructor(baseMs: number) {
    this.#baseMs = baseMs
  }

  add(item: SettledItem, finishedMs: number): void {
    this.#count += 1
    if (this.#count === rowsMax + 1)
      this.list = this.list.filter((json) => isFailure(statuses[(JSON.parse(json) as Row)[1]]!))
    if (this.#count > rowsMax && !isFailure(item.status)) return
    if (this.list.length === rowsMax) {
      this.#failuresLeftOut += 1
      return
    }
    const row: Row = [
      cut(item.id),
      statuses.indexOf(item.status),
      this.#numberOf(item.reason),
      item.httpStatus,
      item.attempts,
      finishedMs - this.#baseMs,
      item.durationMs,
      this.#numberOf(item.message),
      this.#numberOf(item.source),
      item.line,
    ]
    this.list.push(JSON.stringify(row))
  }

  summary() {
    return {
      baseMs: this.#baseMs,
      strings: [...this.#strings.keys()],
      isCut: this.#count > rowsMax,
      failuresLeftOut: this.#failuresLeftOut,
    }
  }

  #numberOf(text: string): number {
    const short = cut(text)
    const known = this.#strings.get(short)
    if (known !== undefined) return known
    this.#strings.set(short, this.#strings.size)
    return this.#strings.size - 1
  }
}

function cut(text: string): string {
  return text.length > textMax ? `${text.slice(0, textMax - 1)}…` : text
}
