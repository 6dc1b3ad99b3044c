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
const bucketsMax = 20_000

/** Counts calls and outcomes over time, in buckets that widen when there are too many of them. */
export class Timeline {
  #width = 0
  #buckets = new Map<number, Counts>()

  get widthMs(): number {
    return widthsMs[this.#width]!
  }

  get isWidest(): boolean {
    return this.#width === widthsMs.length - 1
  }

  add(atMs: number, what: Status | 'calls', times = 1): void {
    const key = this.keyOf(atMs)
    const bucket = this.#buckets.get(key) ?? new Map()
    this.#buckets.set(key, bucket)
    count(bucket, what, times)
    if (this.#buckets.size > bucketsMax && !this.isWidest) this.widen()
  }

  widen(): void {
    const [old, oldMs] = [this.#buckets, this.widthMs]
    this.#width += 1
    this.#buckets = new Map()
    for (const [key, counts] of old) {
      for (const [what, times] of counts) this.add(key * oldMs, what as Status | 'calls', times)
    }
  }

  /** The number of the bucket that holds a moment. */
  keyOf(atMs: number): number {
    return Math.floor(atMs / this.widthMs)
  }

  /** The numbers of the buckets that are not empty. */
  keys(): number[] {
    return [...this.#buckets.keys()]
  }

  count(key: number, what: Status | 'calls'): number {
    return this.#buckets.get(key)?.get(what) ?? 0
  }
}

/** A stretch of the axis without a break. */
export interface Stretch {
  /** Where it begins on the axis, which counts buckets. */
  x: number
  fromMs: number
  buckets: number
}

/** A time in which nothing happened, and which the axis leaves out. */
export interface Break extends Span {
  why: 'stopped' | 'paused' | 'no calls'
}

interface Axis {
  widthMs: number
  stretches: Stretch[]
  breaks: Break[]
}

const pointsMax = 500
/** No window is waited for so long. */
const longestQuietMs = 300_000
const gapRatio = 0.03

/**
 * An axis without the times in which nothing happened: a run that was resumed days later shows its work and not the
 * days. Widens the timeline until there are few enough points.
 */
export function axisOf(timeline: Timeline, executions: readonly Span[], pauses: readonly Span[]): Axis {
  for (;;) {
    const { widthMs } = timeline
    const bounds = executions.flatMap(({ fromMs, toMs }) => [timeline.keyOf(fromMs), timeline.keyOf(toMs)])
    const spans: { first: number; last: number }[] = []
    const breaks: Break[] = []
    for (const key of [...new Set([...timeline.keys(), ...bounds])].sort((a, b) => a - b)) {
      const last = spans.at(-1)
      const quiet = { fromMs: ((last?.last ?? key) + 1) * widthMs, toMs: key * widthMs }
      const why = last === undefined ? null : reasonToBreak(quiet, widthMs, executions, pauses)
      if (last !== undefined && why === null) last.last = key
      else spans.push({ first: key, last: key })
      if (why !== null) breaks.push({ ...quiet, why })
    }
    const points = spans.reduce((sum, { first, last }) => sum + last - first + 1, 0)
    if (points <= pointsMax || timeline.isWidest) {
      const gap = Math.max(2, Math.round(points * gapRatio))
      let x = -gap
      const stretches = spans.map(({ first, last }) => {
        const stretch = { x: x + gap, fromMs: first * widthMs, buckets: last - first + 1 }
        x = stretch.x + stretch.buckets
        return stretch
      })
      return { widthMs, stretches, breaks }
    }
    timeline.widen()
  }
}

/** Null where the quiet is short enough to stay on the axis. */
function reasonToBreak(
  quiet: Span,
  widthMs: number,
  executions: readonly Span[],
  pauses: readonly Span[],
): Break['why'] | null {
  const ms = quiet.toMs - quiet.fromMs
  const isAtWork = isWithin(quiet, executions)
  if (ms <= (isAtWork ? Math.max(longestQuietMs, 10 * widthMs) : 5 * widthMs)) return null
  if (!isAtWork) return 'stopped'
  return touches(quiet, pauses) ? 'paused' : 'no calls'
}

/** The points of the charts, as uPlot takes them: one value in each column for each `x`. A null is a gap. */
export interface Charts extends Axis {
  x: number[]
  atMs: (number | null)[]
  calls: (number | null)[]
  limit: (number | null)[]
  share: (number | null)[]
  /** Statuses that came up among the items that were called. */
  outcomes: { status: Status; times: (number | null)[] }[]
}

const minuteMs = 60_000

/** `perMinute` gives the limit at a moment, and our share of it. */
export function chartsOf(
  timeline: Timeline,
  executions: readonly Span[],
  pauses: readonly Span[],
  perMinute: (atMs: number) => { limit: number; share: number } | null,
): Charts {
  const axis = axisOf(timeline, executions, pauses)
  const { widthMs } = axis
  const points = axis.stretches.flatMap(({ x, fromMs, buckets }) => [
    // Before the first bucket of a stretch, lines end.
    ...(x === 0 ? [] : [{ x: x - 1, key: null }]),
    ...Array.from({ length: buckets }, (_, index) => ({ x: x + index, key: timeline.keyOf(fromMs) + index })),
  ])
  const isIdle = (key: number) => {
    const bucket = { fromMs: key * widthMs, toMs: (key + 1) * widthMs }
    const isAtWork =
      touches(bucket, executions) || executions.some(({ fromMs }) => timeline.keyOf(fromMs) === key)
    return !isAtWork || isWithin(bucket, pauses)
  }
  const column = (value: (key: number) => number | null) =>
    points.map(({ key }) => (key === null || isIdle(key) ? null : value(key)))
  const allowed = (key: number) => perMinute((key + 1) * widthMs - 1)
  return {
    ...axis,
    x: points.map(({ x }) => x),
    atMs: points.map(({ key }) => (key === null ? null : key * widthMs)),
    calls: column((key) => callsPerMinute(timeline, key)),
    limit: column((key) => allowed(key)?.limit ?? null),
    share: column((key) => allowed(key)?.share ?? null),
    outcomes: statuses
      .map((status) => ({ status, times: column((key) => timeline.count(key, status)) }))
      .filter(({ times }) => times.some((count) => count)),
  }
}

/** The calls of the 60 seconds that end with this bucket, which no limit lets exceed it; the mean of wider buckets. */
function callsPerMinute(timeline: Timeline, key: number): number {
  const { widthMs } = timeline
  if (widthMs > minuteMs) return (timeline.count(key, 'calls') * minuteMs) / widthMs
  let calls = 0
  for (let back = 0; back < minuteMs / widthMs; back++) calls += timeline.count(key - back, 'calls')
  return calls
}

function isWithin({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs <= fromMs && toMs <= other.toMs)
}

function touches({ fromMs, toMs }: Span, others: readonly Span[]): boolean {
  return others.some((other) => other.fromMs < toMs && fromMs < other.toMs)
}
