import { type Hours, msUntilOpen } from '../settings/hours.js'
import type { RateWindow } from '../settings/limits.js'

/**
 * The least time that this many calls take under all windows, from the first call to the last, with bursts allowed
 * and answers at once. `agoMs` says how long ago earlier calls were answered, the oldest first: their slots come back
 * one window after that.
 */
export function estimateMs(
  calls: number,
  windows: readonly RateWindow[],
  agoMs: readonly number[] = [],
): number {
  if (calls < 1) return 0
  const binding = windows.filter(({ max }) => max < calls + agoMs.length)
  const slowest = binding.toSorted((a, b) => b.perMs / b.max - a.perMs / a.max)[0]
  if (!slowest) return 0
  // In the long run everything repeats with the slowest window, so only the beginning is simulated: windows of nearly
  // the same rate take a while until one of them rules.
  const largest = Math.max(...binding.map(({ max }) => max))
  const simulated = Math.min(calls, Math.max(simulatedMin, 3 * largest + slowest.max))
  const periods = Math.ceil((calls - simulated) / slowest.max)
  return startMs(calls - periods * slowest.max, binding, agoMs) + periods * slowest.perMs
}

/** This many cost a few milliseconds. */
const simulatedMin = 300_000

/** When the last call starts: each starts one window after the call that had its slot before. */
function startMs(calls: number, windows: readonly RateWindow[], agoMs: readonly number[]): number {
  const all = agoMs.length + calls
  const starts = new Float64Array(all)
  for (const [index, ms] of agoMs.entries()) starts[index] = -ms
  for (let call = agoMs.length; call < all; call++) {
    for (const { max, perMs } of windows) {
      if (call >= max) starts[call] = Math.max(starts[call]!, starts[call - max]! + perMs)
    }
    if (call > agoMs.length) starts[call] = Math.max(starts[call]!, starts[call - 1]!)
  }
  return starts[all - 1]!
}

/** A Date has an end, and a forecast needs one sooner. */
const longestMs = 10 * 365 * 86_400_000

/** When work that begins now and runs within these hours only is done, in ten years at the latest. Wall clock. */
export function finishMs(startMs: number, workMs: number, hours: Hours | null): number {
  const latestMs = startMs + longestMs
  if (hours === null) return Math.min(startMs + workMs, latestMs)
  let atMs = startMs
  let leftMs = workMs
  while (atMs < latestMs) {
    atMs += msUntilOpen(hours, new Date(atMs))
    const openMs = msUntilClosed(hours, new Date(atMs))
    if (leftMs <= openMs) return atMs + leftMs
    atMs += openMs
    leftMs -= openMs
  }
  return latestMs
}

function msUntilClosed({ toMinute }: Hours, now: Date): number {
  const closing = new Date(now)
  closing.setHours(0, toMinute, 0, 0)
  if (closing.getTime() <= now.getTime()) closing.setDate(closing.getDate() + 1)
  return Math.max(60_000, closing.getTime() - now.getTime())
}
