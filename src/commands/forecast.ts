import type { HoldMatches } from '../filters/hold.js'
import { allowedWindows, type PaceSettings, sharedWindows } from '../pacing/allowance.js'
import { estimateMs, finishMs } from '../pacing/eta.js'
import type { Count } from '../runs/count.js'
import { type Hours, msUntilOpen } from '../settings/hours.js'
import { inLimit } from '../settings/limits.js'
import type { RunSettings } from '../settings/run-settings.js'
import { nextShareMs, shareAt, shareText } from '../settings/share.js'
import { counted, inClock, inDigits, inTime } from '../system/text.js'

/** What `plan` says and `run` asks about. The names are contract (`plan --json`). */
export interface Forecast {
  job: string
  instance: string | null
  read: number
  valid: number
  invalid: number
  duplicate: number
  filtered: number
  /** Items that would be settled by calling. */
  items: number
  /** Calls that takes, if none has to be repeated. */
  calls: number
  seconds: number
  finishesAt: string
  reasons: Record<string, number>
  /** Hold lists; `reasons.on_hold` says how many items they leave out. */
  hold: string[]
  first: Count['first']
  /** By reason, the first item that cannot be used. */
  problems: Count['problems']
  /** Header rows that come again in the input, and are left out. */
  repeatedHeaders: number
  settings: RunSettings
  input: Count['input']
}

export interface ForecastOptions {
  itemsPerCall?: number
  hold?: readonly { name: string }[]
  /** How long ago calls to the instance were answered that may fill its windows still, the oldest first. */
  agoMs?: readonly number[]
}

export function forecast(
  job: string,
  instance: string | null,
  count: Count,
  settings: RunSettings,
  maxItems: number,
  { itemsPerCall = 1, hold = [], agoMs = [] }: ForecastOptions = {},
): Forecast {
  const { invalid, duplicate, filtered } = count.tally.totals(count.read)
  const items = Math.min(count.calls, maxItems)
  // A batch is handed over, and then asked for once at least.
  const callsEach = settings.checkFirst || itemsPerCall > 1 ? 2 : 1
  const calls = Math.ceil(items / itemsPerCall) * callsEach
  const startMs = Date.now()
  const endMs = calls === 0 ? startMs : endOfCallsMs(startMs, calls, settings, agoMs)
  return {
    job,
    instance,
    read: count.read,
    valid: count.calls,
    invalid,
    duplicate,
    filtered,
    items,
    calls,
    seconds: Math.round((endMs - startMs) / 1000),
    finishesAt: new Date(endMs).toISOString(),
    reasons: count.tally.reasons(),
    hold: hold.map(({ name }) => name),
    first: count.first,
    problems: count.problems,
    repeatedHeaders: count.repeatedHeaders,
    settings,
    input: count.input,
  }
}

const dayMs = 86_400_000

/** Windows of a day and more give their places back while the hours are closed, too: they pass by the clock. */
function endOfCallsMs(
  startMs: number,
  calls: number,
  settings: RunSettings,
  agoMs: readonly number[],
): number {
  const { hours, share } = settings
  if (typeof share !== 'number') return endByTimetable(startMs, calls, settings)
  const windows = allowedWindows(settings, startMs)
  const short = windows.filter(({ perMs }) => perMs < dayMs)
  const byHours = finishMs(startMs, estimateMs(calls, short, agoMs), hours)
  const byClock = finishMs(startMs, estimateMs(calls, windows, agoMs), null)
  return Math.max(byHours, finishMs(byClock, 0, hours))
}

/** From one edge of the timetable or the hours to the next, at the pace of the slowest window. */
function endByTimetable(startMs: number, calls: number, settings: RunSettings): number {
  const { hours, share } = settings
  const latestMs = startMs + 3650 * dayMs
  let atMs = startMs
  let left = calls
  while (atMs < latestMs) {
    if (hours !== null) atMs += msUntilOpen(hours, new Date(atMs))
    const windows = allowedWindows(settings, atMs)
    const needMs = estimateMs(left, windows)
    const edges = [nextShareMs(share, new Date(atMs)), hours === null ? latestMs : finishOfHours(atMs, hours)]
    const edgeMs = Math.min(...edges)
    if (atMs + needMs <= edgeMs) return atMs + needMs
    const perMs = Math.min(...windows.map(({ max, perMs }) => max / perMs))
    left -= Math.floor((edgeMs - atMs) * perMs)
    atMs = edgeMs
  }
  return latestMs
}

const finishOfHours = (atMs: number, { fromMinute, toMinute }: Hours) =>
  nextShareMs({ spans: [{ fromMinute, toMinute, share: 1 }], otherwise: 1 }, new Date(atMs))

/** The forecast for people, a few lines. */
export function forecastText(
  plan: Forecast,
  settings: RunSettings,
  words: { verb: string; noun: string; itemsMax?: number },
): string {
  const reasons = Object.entries(plan.reasons).map(([reason, times]) => ({
    words: `${inDigits(times)} ${reason}`,
    problem: plan.problems[reason],
  }))
  const leftOut = reasons.filter(({ problem }) => problem === undefined).map(({ words }) => words)
  if (plan.repeatedHeaders > 0) leftOut.push(counted(plan.repeatedHeaders, 'repeated header row'))
  const first = plan.first.map(({ id, source, line }) => `    ${id}  (${source}, line ${line})`)
  const isTried = plan.items < plan.valid
  return [
    `${plan.job} on ${plan.instance ?? 'no instance named yet'}`,
    `  read      ${counted(plan.read, 'row')} from ${plan.input.map(({ name }) => name).join(', ')}`,
    `  to ${words.verb.padEnd(6)} ${counted(plan.items, words.noun)}${isTried ? ` of ${inDigits(plan.valid)}` : ''}${settings.checkFirst ? `, asking for each first: ${counted(plan.calls, 'call')}` : ''}`,
    ...(leftOut.length === 0 ? [] : [`  left out  ${leftOut.join(', ')}`]),
    ...(plan.hold.length === 0 || plan.reasons.on_hold
      ? []
      : [`  on hold   nothing: no item stands in ${plan.hold.join(', ')}. Is it the right list?`]),
    ...reasons.flatMap(({ words, problem }) =>
      problem === undefined ? [] : [`  invalid   ${words}, ${problemText(problem, plan.input.length > 1)}`],
    ),
    `  takes     about ${inTime(plan.seconds * 1000)} ${forecastPace(settings)}, until ${inClock(new Date(plan.finishesAt), new Date())}`,
    ...(words.itemsMax === undefined ? [] : ['            Ada itself may then need up to 30 days']),
    ...(first.length === 0 ? [] : ['  first', ...first]),
  ].join('\n')
}

/** Always said: a list that matches nothing may be the wrong one. */
export function holdText({ name, ids, matching, firstUnmatched }: HoldMatches): string {
  const rest = ids - matching
  const matches = `${inDigits(matching)} ${matching === 1 ? 'matches' : 'match'}`
  const others =
    rest === 0
      ? ''
      : `, ${inDigits(rest)} ${rest === 1 ? 'matches' : 'match'} nothing (first: line ${firstUnmatched})`
  return `hold: ${counted(ids, 'ID')} in ${name}; ${matches}${others}`
}

function problemText({ source, line, message }: Count['problems'][string], isOneOfMany: boolean): string {
  const place = isOneOfMany ? `in ${source}, line ${line}` : `in line ${line}`
  return `the first ${place}${message === '' ? '' : `: ${message}`}`
}

function forecastPace({ hours, ...settings }: RunSettings): string {
  const pace = paceText(settings)
  return hours === null
    ? pace
    : `${pace}, between ${inDayTime(hours.fromMinute)} and ${inDayTime(hours.toMinute)} only`
}

/** What calls are held to: `at 24/s and 240/m (80% of 30/s and 300/m), and at most 100/m`. */
export function paceText({ limits, caps, share }: PaceSettings): string {
  const cap = caps.length === 0 ? '' : `at most ${caps.map(inLimit).join(' and ')}`
  if (limits === 'none') return cap || 'without any limit'
  const windows = sharedWindows(limits, shareAt(share, new Date())).map(inLimit).join(' and ')
  const pace = `at ${windows}${typeof share === 'number' ? '' : ' now'} (${typeof share === 'number' ? `${Math.round(share * 100)}%` : shareText(share)} of ${limits.map(inLimit).join(' and ')})`
  return cap === '' ? pace : `${pace}, and ${cap}`
}

function inDayTime(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':')
}
