import type { Status } from '../item.js'
import { inDigits, inTime } from '../system/text.js'

/** Markup and words of the page, for the writer of the file and for the script in it. */

/** Text that is markup already. Only `markup` makes it. */
class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

export type { Markup }

export type Piece = Markup | string | number | null | readonly Piece[]

/** Makes markup from a template. Every value shows as text, unless it is markup itself. */
export function markup(strings: TemplateStringsArray, ...pieces: Piece[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...pieces.map(textOf)))
}

function textOf(piece: Piece): string {
  if (piece instanceof Markup) return piece.text
  if (piece === null) return ''
  if (typeof piece === 'object') return piece.map(textOf).join('')
  return String(piece).replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)
}

/** An element that holds our own script or style, which must not end it. */
export function block(element: 'script' | 'style', text: string): Markup {
  if (text.toLowerCase().includes(`</${element}`)) throw new Error(`A block holds </${element}`)
  return new Markup(`<${element}>${text}</${element}>\n`)
}

/** Text from outside, which may run from right to left. */
export function outside(text: string): Markup {
  return markup`<bdi>${text}</bdi>`
}

/** A table with a row for each list of cells, the first of which is its head. `numbers` are columns of numbers. */
export function plainTable(
  heads: readonly string[],
  numbers: readonly number[],
  rows: readonly (readonly Piece[])[],
): Markup {
  const right = (column: number) => (numbers.includes(column) ? markup` class="number"` : '')
  const head = heads.map((text, column) => markup`<th scope="col"${right(column)}>${text}</th>`)
  const body = rows.map(
    ([first, ...cells]) =>
      markup`<tr><th scope="row">${first ?? ''}</th>${cells.map((cell, index) => markup`<td${right(index + 1)}>${cell}</td>`)}</tr>\n`,
  )
  return markup`<table class="plain">${heads.length === 0 ? '' : markup`<thead><tr>${head}</tr></thead>`}<tbody>
${body}</tbody></table>`
}

/** Whether items of this status need a person. */
export function isFailure(status: Status): boolean {
  return status === 'failed' || status === 'unknown' || status === 'invalid'
}

/** What a status means, for readers who do not know the README. */
export const statusWords: Record<Status | 'left', string> = {
  succeeded: 'done',
  failed: 'not done: refused, or the API could not be reached',
  unknown: 'sent, but not answered: may be done or not',
  invalid: 'not a usable ID; nothing was sent',
  duplicate: 'the same ID is earlier in the input',
  filtered: 'left out on purpose, by a rule or a hold list',
  left: 'not settled yet',
}

const reasonWords: Record<string, string> = {
  ended: 'Ended by this run.',
  already_ended: 'Had been ended before.',
  ended_on_retry: 'Ended: the first answer was lost, and the retry found it ended.',
  handoff_ended: 'This run ended the handoff.',
  not_in_handoff: 'Was not in a handoff.',
  not_found: 'The API does not know it. A retry does not help.',
  forbidden: 'The API does not allow it for this item, though it takes the key. A retry does not help.',
  rejected: 'The API refused it. A retry does not help; the message says why.',
  server_error: 'The API failed every time. A retry may help.',
  rate_limited: 'Over a rate limit every time. A retry helps.',
  network_error: 'The API could not be reached. A retry may help.',
  timeout: 'No answer in time. A retry finds out whether it was done.',
  connection_lost: 'The connection broke before the answer. A retry finds out whether it was done.',
  unconfirmed: 'The answer did not say whether it was done. A retry finds out.',
  empty_id: 'The row has no ID.',
  bad_id: 'This cannot be an ID.',
  bad_row: 'The row cannot be read.',
  duplicate: 'The same ID is earlier in the input.',
  on_hold: 'On a hold list.',
  settled_before: 'An earlier run settled it.',
  active_again: 'The customer has come back in the meantime.',
}

export function reasonText(reason: string): string {
  return reasonWords[reason] ?? ''
}

const waitWords: Record<string, string> = {
  calling: 'Calls in flight',
  giving_way: 'Yielding to other users of the limit',
  hours: 'Outside the hours for calls',
  outage: 'The API was failing',
  quota: 'The API reported no calls left',
  rate_limited: 'The API reported that a limit was reached',
  paused: 'Paused by a person',
}

/** The name that the checkpoint gives to a wait, in words. */
export function waitText(name: string): string {
  const [, max, perMs] = /^window (\d+)\/(\d+)$/.exec(name) ?? []
  if (max !== undefined) return `Waiting for the limit of ${limitText(Number(max), Number(perMs))}`
  return waitWords[name] ?? name.replaceAll('_', ' ')
}

const units: Record<number, string> = { 86400000: 'day', 3600000: 'hour', 60000: 'minute', 1000: 'second' }

/** `minute`, `6 s`. */
export function periodText(perMs: number): string {
  return units[perMs] ?? spanText(perMs)
}

/** `300 a minute`, `40 in 6 s`. */
export function limitText(max: number, perMs: number): string {
  return `${inDigits(max)} ${perMs in units ? 'a' : 'in'} ${periodText(perMs)}`
}

/** `128 ms`, `3.4 s`, `2 min 5 s`. */
export function spanText(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 10_000) return `${Number((ms / 1000).toFixed(1))} s`
  return inTime(ms)
}

/** `22 Nov 2026, 15:04:05 UTC`. */
export function timeText(ms: number): string {
  const [, day, month, year, time] = new Date(ms).toUTCString().split(' ')
  return `${Number(day)} ${month} ${year}, ${time} UTC`
}

export function moment(ms: number): Markup {
  return markup`<time datetime="${new Date(ms).toISOString()}">${timeText(ms)}</time>`
}

/** `12.5%`; never `0%` or `100%` for what is only close to it. */
export function percentText(part: number, whole: number): string {
  if (whole === 0 || part === 0) return '0%'
  const percent = (part / whole) * 100
  if (percent < 0.1) return '< 0.1%'
  return `${Math.min(part === whole ? 100 : 99.9, Number(percent.toFixed(percent < 10 ? 1 : 0)))}%`
}
