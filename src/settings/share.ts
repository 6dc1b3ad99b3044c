import { type Hours, msUntilOpen } from './hours.js'

/** The part of each of the API's windows to use, from 0 to 1, or a timetable of such parts. */
export type Share = number | ShareTimetable

/** By the local clock: the first span that is open counts. */
export interface ShareTimetable {
  spans: readonly (Hours & { share: number })[]
  otherwise: number
}

export function shareAt(share: Share, now: Date): number {
  if (typeof share === 'number') return share
  return share.spans.find((span) => msUntilOpen(span, now) === 0)?.share ?? share.otherwise
}

/** When the share may change next: the nearest edge of a span. */
export function nextShareMs(share: Share, now: Date): number {
  if (typeof share === 'number') return Number.POSITIVE_INFINITY
  const edges = share.spans.flatMap(({ fromMinute, toMinute }) => [fromMinute, toMinute])
  return Math.min(
    ...edges
      .flatMap((minute) => [0, 1, 2].map((days) => atMinute(now, days, minute)))
      .filter((ms) => ms > now.getTime()),
  )
}

function atMinute(now: Date, days: number, minute: number): number {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 0, minute).getTime()
}

export function mostShare(share: Share): number {
  return typeof share === 'number'
    ? share
    : Math.max(share.otherwise, ...share.spans.map((span) => span.share))
}

/** `80%`, or `08:00-20:00=30%,else=80%`. */
export function shareText(share: Share): string {
  if (typeof share === 'number') return percent(share)
  const spans = share.spans.map(
    (span) => `${clock(span.fromMinute)}-${clock(span.toMinute)}=${percent(span.share)}`,
  )
  return [...spans, `else=${percent(share.otherwise)}`].join(',')
}

const percent = (share: number) => `${Number((share * 100).toFixed(4))}%`
const clock = (minute: number) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
