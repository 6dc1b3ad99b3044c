import type { Status } from '../item.js'
import { inDigits, inTime } from '../system/text.js'
import { type Markup, markup } from './html-markup.js'

/** What a status means, for somebody who has not read the README. */
export const statusWords: Record<Status | 'left', string> = {
  succeeded: 'done',
  failed: 'not done: refused, or the API could not be reached',
  unknown: 'sent, but no answer came: may be done or not',
  invalid: 'not usable as given; nothing was sent',
  duplicate: 'stood in the input before',
  filtered: 'left out on purpose, by a rule or a hold list',
  left: 'not settled yet',
}

const reasonWords: Record<string, string> = {
  ended: 'Ended by this run.',
  already_ended: 'Was ended before.',
  ended_on_retry: 'Ended: the first answer got lost, and the second call found it ended.',
  handoff_ended: 'The handoff was ended by this run.',
  not_in_handoff: 'Was not in a handoff.',
  not_found: 'The API does not know it. Trying again does not help.',
  rejected: 'The API refused it. Trying again does not help; the message says why.',
  server_error: 'The API failed every time. Trying again may help.',
  rate_limited: 'Over a rate limit every time. Trying again helps.',
  network_error: 'The API could not be reached. Trying again may help.',
  timeout: 'No answer in time. Trying again tells whether it was done.',
  connection_lost: 'The connection broke before an answer. Trying again tells whether it was done.',
  empty_id: 'The row has no ID.',
  bad_id: 'The ID cannot be one.',
  bad_row: 'The row cannot be read.',
  duplicate: 'The ID stood in the input before.',
  on_hold: 'Stands on a hold list.',
  settled_before: 'Was settled by an earlier run.',
  active_again: 'The customer came back meanwhile.',
}

export function reasonText(reason: string): string {
  return reasonWords[reason] ?? ''
}

const waitWords: Record<string, string> = {
  calling: 'Calling, and waiting for answers',
  giving_way: 'Giving way to others who use the limits',
  hours: 'Outside of the hours in which it may call',
  outage: 'The API was failing',
  quota: 'The API had no calls left for us',
  rate_limited: 'The API answered that a limit was reached',
  paused: 'Paused by a person',
}

/** What was waited for, by its name in the checkpoint. */
export function waitText(what: string): string {
  const [, max, perMs] = /^window (\d+)\/(\d+)$/.exec(what) ?? []
  if (max !== undefined) return `For a place within the limit of ${limitText(Number(max), Number(perMs))}`
  return waitWords[what] ?? what.replaceAll('_', ' ')
}

const units: [number, string][] = [
  [86_400_000, 'day'],
  [3_600_000, 'hour'],
  [60_000, 'minute'],
  [1000, 'second'],
]

/** `300 a minute`, `40 in 6 s`. */
export function limitText(max: number, perMs: number): string {
  const unit = units.find(([ms]) => ms === perMs)?.[1]
  return unit === undefined ? `${inDigits(max)} in ${spanText(perMs)}` : `${inDigits(max)} a ${unit}`
}

/** `128 ms`, `3.4 s`, `2 min 5 s`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))} s`
  return inTime(ms)
}

/** `22 Nov 2026, 15:04:05 UTC`. */
export function timeText(ms: number): string {
  const text = new Date(ms).toUTCString()
  const [, day, month, year, time] = /(\d+) (\w+) (\d+) ([\d:]+)/.exec(text)!
  return `${Number(day)} ${month} ${year}, ${time} UTC`
}

export function moment(ms: number): Markup {
  return markup`<time datetime="${new Date(ms).toISOString()}">${timeText(ms)}</time>`
}

/** `12.5%`, and never `0%` or `100%` of what is only nearly so. */
export function percentText(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0%'
  const percent = (part / whole) * 100
  if (percent < 0.1) return '< 0.1%'
  return `${Math.min(part === whole ? 100 : 99.9, Number(percent.toFixed(percent < 10 ? 1 : 0)))}%`
}
