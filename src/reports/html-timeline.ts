import type { EndEvent, LifecycleEvent } from '../checkpoint/events.js'
import { type Status, statuses } from '../item.js'

export interface Span {
  fromMs: number
  toMs: number
}

/** Counts by name. */
export type Counts = Map<string, number>

export function count(counts: Counts, name: string, times = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + times)
}

/** Widths of a bucket; each is a multiple of the one before. */
const widthsMs = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400].map((seconds) => seconds * 1000)
const pointsMax = 500
/** No window is waited for so long. */
const longestQuietMs = 300_000
const gapRatio = 0.03
const minuteMs = 60_000

/** When processes worked on a run, and what happened when, in buckets that widen when there are too many of them. */
export class Timeline {
  /** Without an end while it runs, and where its process died. */
  readonly executions: (Span & { end: EndEvent | null })[] = []
  readonly pauses: Span[] = []
  #width = 0
  #buckets = new Map<number, Counts>()

  onEvent(event: LifecycleEvent): void {
    const atMs = Date.parse(event.at)
    const pause = this.pauses.at(-1)
    if (event.event === 'started' || event.event === 'resumed')
      this.executions.push({ fromMs: atMs, toMs: atMs, end: null })
    if (event.event === 'stopped' || event.event === 'finished' || event.event === 'waited') this.seen(atMs)
    const execution = this.executions.at(-1)
    if (execution !== undefined && (event.event === 'stopped' || event.event === 'finished'))
      execution.end = event
    if (event.event === 'paused') this.pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
    if (event.event === 'continued' && pause !== undefined) pause.toMs = Math.min(pause.toMs, atMs)
  }

  /** Something happened: an execution without an end lasted at least until then. */
  seen(atMs: number): void {
    const last = this.executions.at(-1)
    if (last !== undefined && last.end === null && atMs > last.toMs) last.toMs = atMs
  }

  add(atMs: number, what: string, times = 1): void {
    const key = this.#keyOf(atMs)
    const bucket = this.#buckets.get(key) ?? new Map()
    this.#buckets.set(key, bucket)
    count(bucket, what, times)
    // The axis would do so in the end.
    if (this.#buckets.size > pointsMax) this.#widen()
  }

  get workedMs(): number {
    return this.executions.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0)
  }

  /**
   * The axis, and the columns of the charts as uPlot takes them: a value for each `x`, null for a gap. `perMinute`
   * gives the limit at a moment, and our share of it.
   */
  charts(perMinute: (atMs: number) => { limit: number; share: number } | null) {
    const axis = this.axis()
    const { widthMs } = axis
    const points = axis.stretches.flatMap(({ x, fromMs, buckets }) => [
      // Lines end before a stretch.
      ...(x === 0 ? [] : [{ x: x - 1, atMs: null }]),
      ...Array.from({ length: buckets }, (_, index) => ({ x: x + index, atMs: fromMs + index * widthMs })),
    ])
    const column = (value: (atMs: number) => number | null) =>
      points.map(({ atMs }) => (atMs === null || this.#isIdle(atMs) ? null : value(atMs)))
    const allowed = (atMs: number) => perMinute(atMs + widthMs - 1)
    return {
      ...axis,
      x: points.map(({ x }) => x),
      atMs: points.map(({ atMs }) => atMs),
      calls: column((atMs) => this.#callsPerMinute(atMs)),
      limit: column((atMs) => allowed(atMs)?.limit ?? null),
      share: column((atMs) => allowed(atMs)?.share ?? null),
      /** By statuses that came up among the items that were called. */
      outcomes: statuses
        .map((status: Status) => ({ status, times: column((atMs) => this.#count(atMs, status)) }))
        .filter(({ times }) => times.some((count) => count)),
    }
  }

  /**
   * An axis without the times in which nothing happened: a run that was resumed days later shows its work and not the
   * days. Its `x` counts buckets. Widens them until there are few enough points.
   */
  axis() {
    for (;;) {
      const widthMs = widthsMs[this.#width]!
      const bounds = this.executions.flatMap(({ fromMs, toMs }) => [this.#keyOf(fromMs), this.#keyOf(toMs)])
      const spans: Span[] = []
      const breaks: (Span & { why: string })[] = []
      for (const key of [...new Set([...this.#buckets.keys(), ...bounds])].sort((a, b) => a - b)) {
        const bucket = { fromMs: key * widthMs, toMs: (key + 1) * widthMs }
        const last = spans.at(-1)
        const quiet = { fromMs: last?.toMs ?? bucket.fromMs, toMs: bucket.fromMs }
        const why = this.#reasonToBreak(quiet, widthMs)
        if (last !== undefined && why === null) last.toMs = bucket.toMs
        else spans.push(bucket)
        if (why !== null) breaks.push({ ...quiet, why })
      }
      const points = spans.reduce((sum, { fromMs, toMs }) => sum + (toMs - fromMs) / widthMs, 0)
      if (points > pointsMax && this.#widen()) continue
      const gap = Math.max(2, Math.round(points * gapRatio))
      let end = -gap
      const stretches = spans.map(({ fromMs, toMs }) => {
        const x = end + gap
        const buckets = (toMs - fromMs) / widthMs
        end = x + buckets
        return { x, fromMs, buckets }
      })
      return { widthMs, stretches, breaks }
    }
  }

  /** Null where the quiet is short enough to stay on the axis. */
  #reasonToBreak(quiet: Span, widthMs: number): string | null {
    const ms = quiet.toMs - quiet.fromMs
    const isAtWork = isWithin(quiet, this.executions)
    if (ms <= (isAtWork ? Math.max(longestQuietMs, 10 * widthMs) : 5 * widthMs)) return null
    if (!isAtWork) return 'stopped'
    return touches(quiet, this.pauses) ? 'paused' : 'no calls'
  }

  /** Whether no process was at work in this bucket, or the whole of it was a pause. */
  #isIdle(fromMs: number): boolean {
    const bucket = { fromMs, toMs: fromMs + widthsMs[this.#width]! }
    const isAtWork =
      touches(bucket, this.executions) ||
      this.executions.some((execution) => this.#keyOf(execution.fromMs) === this.#keyOf(fromMs))
    return !isAtWork || isWithin(bucket, this.pauses)
  }

  /** The calls of the 60 seconds that end with this bucket, which no limit lets exceed it; the mean of wider buckets. */
  #callsPerMinute(atMs: number): number {
    const widthMs = widthsMs[this.#width]!
    if (widthMs > minuteMs) return (this.#count(atMs, 'calls') * minuteMs) / widthMs
    let calls = 0
    for (let back = 0; back < minuteMs; back += widthMs) calls += this.#count(atMs - back, 'calls')
    return calls
  }

  #count(atMs: number, what: string): number {
    return this.#buckets.get(this.#keyOf(atMs))?.get(what) ?? 0
  }

  #keyOf(atMs: number): number {
    return Math.floor(atMs / widthsMs[this.#width]!)
  }

  /** False when there is no wider bucket. */
  #widen(): boolean {
    const [old, oldMs] = [this.#buckets, widthsMs[this.#width]!]
    if (this.#width === widthsMs.length - 1) return false
    this.#width += 1
    this.#buckets = new Map()
    for (const [key, counts] of old) for (const [what, times] of counts) this.add(key * oldMs, what, times)
    return true
  }
}

function isWithin({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs <= fromMs && toMs <= other.toMs)
}

function touches({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs < toMs && fromMs < other.toMs)
}
