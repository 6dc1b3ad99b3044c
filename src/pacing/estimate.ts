import type { RateWindow } from '../settings/limits.js'
import { sharedWindows } from './share.js'

/**
 * The least time that so many calls take under all windows, bursts allowed and answers at once: from the first
 * call to the last. `agoMs` says of calls before them how long ago they were answered, the oldest first: their places
 * come back one window after that.
 */
export function estimateMs(
  calls: number,
  windows: readonly RateWindow[] | 'none',
  share: number,
  agoMs: readonly number[] = [],
): number {
  if (windows === 'none' || calls < 1) return 0
  const binding = sharedWindows(windows, share, 1).filter(({ max }) => max < calls + agoMs.length)
  const slowest = binding.toSorted((a, b) => b.perMs / b.max - a.perMs / a.max)[0]
  if (!slowest) return 0
  // In the long run everything repeats with the slowest window, so only the beginning is played through: windows of
  // nearly the same rate take a while until one of them rules.
  const largest = Math.max(...binding.map(({ max }) => max))
  const played = Math.min(calls, Math.max(playedMin, 3 * largest + slowest.max))
  const periods = Math.ceil((calls - played) / slowest.max)
  return startMs(calls - periods * slowest.max, binding, agoMs) + periods * slowest.perMs
}

/** That many cost a few milliseconds. */
const playedMin = 300_000

/** When the last of so many calls starts: each one window after the call that has the place before it. */
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
