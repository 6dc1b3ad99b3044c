import { type Status, statuses } from '../item.js'
import { axisOf, type Break, type Stretch } from './html-drawn.js'
import type { Bar } from './html-durations.js'
import { type Executions, isWithin, touches } from './html-executions.js'
import type { Facts } from './html-facts.js'
import type { Timeline } from './html-timeline.js'

/** What the charts are drawn from, as the page's script finds it. A null is a gap. */
export interface Charts {
  widthMs: number
  stretches: Stretch[]
  breaks: Break[]
  /** One of each for each point; `x` counts buckets. */
  x: number[]
  atMs: number[]
  calls: (number | null)[]
  limit: (number | null)[]
  share: (number | null)[]
  /** Statuses that came up among what was called. */
  outcomes: { status: Status; times: (number | null)[] }[]
  bars: Bar[]
}

/** The columns of the timeline: calls, then items by status. */
export const callsColumn = 0
export const columnOf = (status: Status) => 1 + statuses.indexOf(status)
export const columnCount = 1 + statuses.length

const minuteMs = 60_000

export function chartsOf(facts: Facts): Charts {
  const { timeline, executions, pace, answerTimes } = facts
  const { widthMs, stretches, breaks } = axisOf(timeline, executions.list, executions.pauses)
  const x: number[] = []
  const keys: (number | null)[] = []
  for (const [index, stretch] of stretches.entries()) {
    const first = timeline.keyOf(stretch.fromMs)
    for (let bucket = 0; bucket < stretch.buckets; bucket++) {
      x.push(stretch.x + bucket)
      keys.push(first + bucket)
    }
    // Lines end here, and begin anew behind the break.
    if (index === stretches.length - 1) continue
    x.push(stretch.x + stretch.buckets)
    keys.push(null)
  }
  const atEach = (value: (key: number) => number | null) =>
    keys.map((key) => (key === null || isIdle(key, widthMs, executions) ? null : value(key)))
  const allowedAt = (key: number) => pace.perMinute((key + 1) * widthMs - 1)
  return {
    widthMs,
    stretches,
    breaks,
    x,
    atMs: keys.map((key) => (key === null ? Number.NaN : key * widthMs)),
    calls: atEach((key) => callsPerMinute(timeline, key)),
    limit: atEach((key) => allowedAt(key)?.limit ?? null),
    share: atEach((key) => allowedAt(key)?.share ?? null),
    outcomes: statuses
      .map((status) => ({ status, times: atEach((key) => timeline.count(key, columnOf(status))) }))
      .filter(({ times }) => times.some((count) => count)),
    bars: answerTimes.bars(),
  }
}

/** Nobody was at work in this bucket, or all of it was a pause. */
function isIdle(key: number, widthMs: number, { list, pauses }: Executions): boolean {
  const bucket = { fromMs: key * widthMs, toMs: (key + 1) * widthMs }
  const isAtWork = touches(bucket, list) || list.some(({ fromMs }) => Math.floor(fromMs / widthMs) === key)
  return !isAtWork || isWithin(bucket, pauses)
}

/** The calls of the 60 seconds that end with this bucket, which no limit lets exceed it; in wider buckets the mean. */
function callsPerMinute(timeline: Timeline, key: number): number {
  const { widthMs } = timeline
  if (widthMs > minuteMs) return (timeline.count(key, callsColumn) * minuteMs) / widthMs
  let calls = 0
  for (let back = 0; back < minuteMs / widthMs; back++) calls += timeline.count(key - back, callsColumn)
  return calls
}
