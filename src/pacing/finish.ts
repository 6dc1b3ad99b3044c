import { type Hours, msUntilOpen } from '../settings/hours.js'

const minuteMs = 60_000

/** As far as anybody looks ahead; a Date ends somewhere, too. */
const longestMs = 10 * 365 * 86_400_000

/**
 * When work of so many milliseconds is done that begins now and goes on within these hours only, and in ten years
 * at the latest. Wall clock.
 */
export function finishMs(startMs: number, workMs: number, hours: Hours | null): number {
  let atMs = startMs
  let leftMs = workMs
  const latestMs = startMs + longestMs
  if (hours === null) return Math.min(startMs + workMs, latestMs)
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
  return Math.max(minuteMs, closing.getTime() - now.getTime())
}
