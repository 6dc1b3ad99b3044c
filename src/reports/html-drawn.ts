import { isWithin, type Span, touches } from './html-executions.js'
import type { Timeline } from './html-timeline.js'

/** A stretch of time that is drawn without a break. */
export interface Stretch {
  /** Where it begins on the axis, which counts buckets. */
  x: number
  fromMs: number
  buckets: number
}

/** A time in which nothing happened, and which is not drawn. */
export interface Break extends Span {
  why: 'stopped' | 'paused' | 'no calls'
}

export interface Axis {
  widthMs: number
  stretches: Stretch[]
  breaks: Break[]
}

const pointsMax = 500
/** A process that does nothing for so long was waiting for something else than a place in a window. */
const longestQuietMs = 300_000
const gapRatio = 0.03

/**
 * Lays the time of a run on an axis that leaves out where nothing happened: a run that is resumed days later shows
 * its work and not the days. Widens the timeline until there are few enough points.
 */
export function axisOf(timeline: Timeline, executions: readonly Span[], pauses: readonly Span[]): Axis {
  for (;;) {
    const { widthMs } = timeline
    const bounds = executions.flatMap(({ fromMs, toMs }) => [timeline.keyOf(fromMs), timeline.keyOf(toMs)])
    const keys = [...new Set([...timeline.keys(), ...bounds])].sort((a, b) => a - b)
    const runs: { first: number; last: number }[] = []
    const breaks: Break[] = []
    for (const key of keys) {
      const last = runs.at(-1)
      const quiet = last && { fromMs: (last.last + 1) * widthMs, toMs: key * widthMs }
      const why = quiet === undefined ? null : whyBroken(quiet, widthMs, executions, pauses)
      if (last && why === null) last.last = key
      else runs.push({ first: key, last: key })
      if (quiet && why !== null) breaks.push({ ...quiet, why })
    }
    const drawn = runs.reduce((sum, { first, last }) => sum + last - first + 1, 0)
    if (drawn > pointsMax && !timeline.isWidest) {
      timeline.widen()
      continue
    }
    const gap = Math.max(2, Math.round(drawn * gapRatio))
    let x = 0
    const stretches = runs.map(({ first, last }) => {
      const stretch = { x, fromMs: first * widthMs, buckets: last - first + 1 }
      x += stretch.buckets + gap
      return stretch
    })
    return { widthMs, stretches, breaks }
  }
}

/** Null where the quiet is short enough to be drawn. */
function whyBroken(
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
