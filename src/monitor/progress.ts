import type { Tally } from '../checkpoint/summary.js'
import type { Waiting } from '../pacing/admission.js'
import { inLimit } from '../settings/limits.js'
import { inClock, inDigits } from '../system/text.js'

/** One JSON object a line: at the start, every ten seconds and at the end. For programs. */
export function jsonProgress(view: () => RunView, write: (text: string) => void): Progress {
  const show = () => write(JSON.stringify(progressFields(view())))
  show()
  return { note: write, ...everyTenSeconds(show) }
}

/** One line every ten seconds and one at the end, for logs. */
export function plainProgress(view: () => RunView, write: (text: string) => void): Progress {
  return { note: write, ...everyTenSeconds(() => write(progressText(view()))) }
}

/** A run as it stands, for whoever shows it. */
export interface RunView {
  /** Items of the whole input. */
  read: number
  tally: Tally
  requests: { sent: number; rateLimited: number }
  /** Items settled by calling in the last minute. */
  settledLastMinute: number
  /** When all will be done, if it goes on like this (Unix); null while nobody can say. */
  endsAtMs: number | null
  waiting: Waiting
  /** When the waiting ends at the latest (Unix); null where that is not known. */
  waitsUntilMs: number | null
  /** Set when the run was asked to stop. */
  stoppingBecause: string | null
}

/** The promise of a progress display: looks at the run from time to time and shows it on stderr. */
export interface Progress {
  /** Shows a line of something else, without harm to either. */
  note(text: string): void
  stop(): void
}

/** Shows every ten seconds, and once more when it is stopped. May be stopped again. */
export function everyTenSeconds(show: () => void): { stop(): void } {
  const timer = setInterval(show, 10_000).unref()
  let isStopped = false
  return {
    stop() {
      if (isStopped) return
      isStopped = true
      clearInterval(timer)
      show()
    },
  }
}

/** The run in one line: `120/40,000: 118 succeeded, 2 failed; 240/min, until 18:12; waiting for the window 240/m`. */
export function progressText(view: RunView, now = new Date()): string {
  const { done, counts, pace, doing } = progressParts(view, now)
  return [done + counts, pace, doing].filter((part) => part !== '').join('; ')
}

/** The parts of that line; each may be empty but the first. */
export function progressParts(
  view: RunView,
  now = new Date(),
): { done: string; counts: string; pace: string; doing: string } {
  const { read, tally, settledLastMinute, endsAtMs } = view
  const { read: _read, left, ...counts } = tally.totals(read)
  const words = Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `${inDigits(times)} ${status}`)
  const pace = [
    ...(settledLastMinute > 0 ? [`${inDigits(settledLastMinute)}/min`] : []),
    ...(endsAtMs !== null && left > 0 ? [`until ${inClock(new Date(endsAtMs), now)}`] : []),
  ]
  return {
    done: `${inDigits(tally.settled)}/${inDigits(read)}`,
    counts: words.length === 0 ? '' : `: ${words.join(', ')}`,
    pace: pace.join(', '),
    doing: view.stoppingBecause === null ? waitingText(view, now) : `stopping: ${view.stoppingBecause}`,
  }
}

/** The run as an object, for programs. */
export function progressFields(view: RunView) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    /** When it was so, ISO 8601, UTC. */
    at: new Date().toISOString(),
    totals: view.tally.totals(view.read),
    requests: { ...view.requests },
    settledLastMinute: view.settledLastMinute,
    /** Null while nobody can say. */
    finishesAt: iso(view.endsAtMs),
    /** What all calls wait for, as one word and in words; empty while calls are made. */
    waitingFor: view.waiting.kind === 'nothing' ? '' : view.waiting.kind,
    waiting: waitingText(view),
    waitsUntil: iso(view.waitsUntilMs),
    stoppingBecause: view.stoppingBecause,
  }
}

/** Why no call is made right now; empty when calls are made. */
export function waitingText(
  { waiting, waitsUntilMs }: Pick<RunView, 'waiting' | 'waitsUntilMs'>,
  now = new Date(),
): string {
  const until = waitsUntilMs === null ? '' : ` until ${inClock(new Date(waitsUntilMs), now)}`
  switch (waiting.kind) {
    case 'nothing':
      return ''
    case 'window':
      return `waiting for the window ${inLimit(waiting.window)}`
    case 'giving_way':
      return `giving way to others: ${inLimit(waiting.window)}`
    case 'paused':
      return 'paused until `ada-bulk continue`'
    case 'rate_limited':
      return `waiting${until}: the API answered 429`
    case 'quota':
      return `waiting${until}: the API has no calls left for us`
    case 'outage':
      return 'waiting: the API is failing'
    case 'ledger':
      return `waiting${until}: Redis is away, or too new to know all calls that were made`
    case 'hours':
      return `waiting for --hours${until}`
  }
}
