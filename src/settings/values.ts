import { UsageError } from '../system/errors.js'
import { momentMs } from '../system/moment.js'
import { inTime } from '../system/text.js'
import type { Hours } from './hours.js'
import { longestWindowMs, mostCalls, type RateWindow, windowsMax } from './limits.js'
import type { Share } from './share.js'

/** Turns what people type into precise values. Each throws a UsageError that names the flag. */

const unitMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `30s`, `2h`, `1h30m`, `500ms`, `14d` → milliseconds. */
export function parseDuration(text: string, flag: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.trim()) {
    throw new UsageError(`${flag} ${text}: not a span of time. Write it like 30s, 5m, 2h, 1h30m or 14d.`)
  }
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * unitMs[unit!]!, 0)
}

/** A span of time that must not be nothing, and not more than `mostMs`. */
export function parsePositiveDuration(text: string, flag: string, mostMs = Number.POSITIVE_INFINITY): number {
  const ms = parseDuration(text, flag)
  if (ms <= 0) throw new UsageError(`${flag} ${text}: must be longer than nothing.`)
  if (ms > mostMs) throw new UsageError(`${flag} ${text}: must be ${inTime(mostMs)} at most.`)
  return ms
}

/** `30/s`, `300/m`, `60000/d`, `40/6s`, or `none` alone → rate windows. */
export function parseLimits(texts: readonly string[], flag = '--api-limit'): RateWindow[] | 'none' {
  if (texts.includes('none')) {
    if (texts.length > 1) throw new UsageError(`${flag} none stands alone: drop it or the other limits.`)
    return 'none'
  }
  return parseWindows(texts, flag, ' or none')
}

/** The same without `none`: a cap can only slow a run. */
export function parseCaps(texts: readonly string[], flag = '--limit'): RateWindow[] {
  if (texts.includes('none')) {
    throw new UsageError(
      `${flag} none: a cap can only slow a run. To call without limits on this machine's own addresses, write --api-limit none.`,
    )
  }
  return parseWindows(texts, flag, '')
}

function parseWindows(texts: readonly string[], flag: string, orElse: string): RateWindow[] {
  if (texts.length > windowsMax) throw new UsageError(`${flag}: is given more than ${windowsMax} times.`)
  return texts.map((text) => parseLimit(text, flag, orElse))
}

function parseLimit(text: string, flag: string, orElse: string): RateWindow {
  const [, max, count, unit] = /^\s*(\d+)\s*\/\s*(\d+(?:\.\d+)?)?\s*(ms|s|m|h|d)\s*$/.exec(text) ?? []
  const window = { max: Number(max), perMs: Math.round(Number(count ?? 1) * (unitMs[unit ?? ''] ?? 0)) }
  const isCallable = window.max >= 1 && window.max <= mostCalls
  if (!isCallable || window.perMs < 1 || window.perMs > longestWindowMs) {
    throw new UsageError(
      `${flag} ${text}: not a limit. Write it like 30/s, 300/m, 60000/d or 40/6s${orElse}.`,
    )
  }
  return window
}

/** `80%` or `80` → 0.8. */
export function parseShare(text: string, flag = '--share'): number {
  const percent = percentOf(text)
  if (percent === null || percent < 1 || percent > 100) {
    throw new UsageError(`${flag} ${text}: not a share. Write a percentage from 1% to 100%.`)
  }
  return percent / 100
}

/** `80%`, or `08:00-20:00=30%,else=80%`: the first span that holds counts. */
export function parseShares(text: string, flag = '--share'): Share {
  if (!text.includes('=')) return parseShare(text, flag)
  const parts = text.split(',').map((part) => part.split('='))
  const [last, otherwise = ''] = parts.pop()!
  const isWhole = last?.trim() === 'else' && parts.length > 0 && parts.every((part) => part.length === 2)
  if (!isWhole || parts.length > windowsMax) {
    throw new UsageError(`${flag} ${text}: not a timetable. Write it like 08:00-20:00=30%,else=80%.`)
  }
  const spans = parts.map(([hours, share]) => ({
    ...parseHours(hours!, flag),
    share: parseShare(share!, flag),
  }))
  return { spans, otherwise: parseShare(otherwise, flag) }
}

/** A part of all calls, which may be none. */
export function parseRate(text: string, flag: string): number {
  return /^0+(\.0+)?%?$/.test(text) ? 0 : parseShare(text, flag)
}

/** `90d` ago, or a moment: a function, as it depends on when it is asked. */
export function parseMoment(text: string, flag: string): (nowMs: number) => number {
  const ms = momentMs(text)
  if (ms !== null) return () => ms
  if (/^\d{4}/.test(text))
    throw new UsageError(`${flag} ${text}: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.`)
  const agoMs = parseDuration(text, flag)
  return (nowMs) => nowMs - agoMs
}

/** A name that every scheduler takes. */
export function parseLabel(name: string, flag: string, most: number): string {
  if (/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name) && name.length <= most) return name
  throw new UsageError(
    `${flag} ${name}: must be lower-case letters, digits and hyphens, like ada-bulk, ${most} at most.`,
  )
}

/** When so many items have failed that a person should look: a number, or a share of the items called. */
export interface FailureLimit {
  count: number | null
  ratio: number | null
}

/** `100` or `25%`. */
export function parseMaxFailures(text: string, flag = '--max-failures'): FailureLimit {
  if (/^\d+$/.test(text.trim())) return { count: Number(text), ratio: null }
  const percent = text.trim().endsWith('%') ? percentOf(text) : null
  if (percent === null || percent > 100) {
    throw new UsageError(`${flag} ${text}: neither a number of items, like 100, nor a percentage, like 25%.`)
  }
  return { count: null, ratio: percent / 100 }
}

function percentOf(text: string): number | null {
  const [, number] = /^\s*(\d+(?:\.\d+)?)\s*%?\s*$/.exec(text) ?? []
  return number === undefined ? null : Number(number)
}

/** `22:00-06:00`. */
export function parseHours(text: string, flag = '--hours'): Hours {
  const [, ...numbers] = /^\s*(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})\s*$/.exec(text) ?? []
  const [fromHour = 99, fromPart = 0, toHour = 99, toPart = 0] = numbers.map(Number)
  const isTime = (hour: number, minute: number) => minute < 60 && (hour < 24 || (hour === 24 && minute === 0))
  if (!isTime(fromHour, fromPart) || !isTime(toHour, toPart)) {
    throw new UsageError(`${flag} ${text}: not a span of the day. Write it like 22:00-06:00.`)
  }
  // A span that begins at 24:00 begins at 0:00.
  const hours = { fromMinute: (fromHour % 24) * 60 + fromPart, toMinute: toHour * 60 + toPart }
  if (hours.fromMinute === hours.toMinute) {
    throw new UsageError(`${flag} ${text}: begins when it ends. Leave it out to call at any hour.`)
  }
  return hours
}

/** A whole number of at least `least`. */
export function parseCount(text: string, flag: string, least = 1, most = 1_000_000_000): number {
  const number = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  if (!(number >= least && number <= most)) {
    throw new UsageError(`${flag} ${text}: not a whole number from ${least} to ${most}.`)
  }
  return number
}
