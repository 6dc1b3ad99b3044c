import { estimateMs } from '../pacing/estimate.js'
import { finishMs } from '../pacing/finish.js'
import { sharedWindows } from '../pacing/share.js'
import type { Count } from '../plan.js'
import type { RunSettings } from '../run-file.js'
import { counted, inClock, inDigits, inLimit, inTime } from '../words.js'

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
  first: Count['first']
  input: Count['input']
}

export function forecast(
  job: string,
  instance: string | null,
  count: Count,
  settings: RunSettings,
  maxItems: number,
): Forecast {
  const { invalid, duplicate, filtered } = count.tally.totals(count.read)
  const items = Math.min(count.calls, maxItems)
  const calls = items * (settings.checkFirst ? 2 : 1)
  const ms = estimateMs(calls, settings.limits, settings.share)
  const startMs = Date.now()
  const endMs = finishMs(startMs, ms, settings.hours)
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
    first: count.first,
    input: count.input,
  }
}

/** The forecast for people, a few lines. */
export function forecastText(
  plan: Forecast,
  settings: RunSettings,
  words: { verb: string; noun: string },
): string {
  const notCalled = Object.entries(plan.reasons).map(([reason, times]) => `${inDigits(times)} ${reason}`)
  const limits =
    settings.limits === 'none'
      ? 'without any limit'
      : `at ${sharedWindows(settings.limits, settings.share, 1).map(inLimit).join(' and ')} (${Math.round(settings.share * 100)}% of ${settings.limits.map(inLimit).join(' and ')})`
  const first = plan.first.map(({ id, source, line }) => `    ${id}  (${source}, line ${line})`)
  return [
    `${plan.job} on ${plan.instance ?? 'no instance named yet'}`,
    `  read      ${counted(plan.read, 'row')} from ${plan.input.map(({ name }) => name).join(', ')}`,
    `  to ${words.verb.padEnd(6)} ${counted(plan.items, words.noun)}${plan.items < plan.valid ? ` of ${inDigits(plan.valid)}` : ''}`,
    ...(notCalled.length === 0 ? [] : [`  left out  ${notCalled.join(', ')}`]),
    `  takes     about ${inTime(plan.seconds * 1000)} ${limits}, until ${inClock(new Date(plan.finishesAt), new Date())}`,
    ...(first.length === 0 ? [] : ['  first', ...first]),
  ].join('\n')
}
