import { inLimit } from '../settings/limits.js'
import { inClock, inDigits } from '../system/text.js'
import { every, type RunView } from './view.js'

/** Shows the progress of a run on stderr until it is stopped, which may happen more than once. */
export interface Progress {
  /** Shows a line of something else, without harm to either. */
  note(text: string): void
  stop(): void
}

/** One JSON object a line: at the start, every ten seconds and at the end. For programs. */
export function jsonProgress(view: () => RunView, write: (text: string) => void): Progress {
  const show = () => write(JSON.stringify(progressFields(view())))
  show()
  return everyTenSeconds(show, write)
}

/** One line every ten seconds and one at the end, for logs. */
export function plainProgress(view: () => RunView, write: (text: string) => void): Progress {
  return everyTenSeconds(() => write(progressText(view())), write)
}

function everyTenSeconds(show: () => void, note: (text: string) => void): Progress {
  const timer = every(10_000, show)
  let isStopped = false
  return {
    note,
    stop() {
      if (isStopped) return
      isStopped = true
      timer[Symbol.dispose]()
      show()
    },
  }
}

/** The progress in one line: `120/40,000: 118 succeeded, 2 failed; 240/min, until 18:12; waiting for the window 240/m`. */
export function progressText(view: RunView): string {
  const { done, counts, pace, doing } = progressParts(view)
  return [done + counts, pace, doing].filter((part) => part !== '').join('; ')
}

/** The parts of that line; each may be empty but the first. */
export function progressParts(view: RunView): { done: string; counts: string; pace: string; doing: string } {
  const { read, tally, settledLastMinute, endsAtMs } = view
  const { read: _read, left, ...counts } = tally.totals(read)
  const words = Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `${inDigits(times)} ${status}`)
  const pace = [
    ...(settledLastMinute > 0 ? [`${inDigits(settledLastMinute)}/min`] : []),
    ...(endsAtMs !== null && left > 0 ? [`until ${inClock(new Date(endsAtMs), new Date())}`] : []),
  ]
  return {
    done: `${inDigits(tally.settled)}/${inDigits(read)}`,
    counts: words.length === 0 ? '' : `: ${words.join(', ')}`,
    pace: pace.join(', '),
    doing: view.stoppingBecause === null ? waitingText(view) : `stopping: ${view.stoppingBecause}`,
  }
}

/** The progress as an object, for programs. */
export function progressFields(view: RunView) {
  const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString())
  return {
    /** The moment of this progress, ISO 8601, UTC. */
    at: new Date().toISOString(),
    totals: view.tally.totals(view.read),
    requests: { ...view.requests },
    settledLastMinute: view.settledLastMinute,
    finishesAt: iso(view.endsAtMs),
    /** What all calls wait for, as one word and in words; empty while calls are made. */
    waitingFor: view.waiting.kind === 'nothing' ? '' : view.waiting.kind,
    waiting: waitingText(view),
    waitsUntil: iso(view.waitsUntilMs),
    stoppingBecause: view.stoppingBecause,
  }
}

/** Why no call is made right now; empty when calls are made. */
function waitingText({ waiting, waitsUntilMs }: Pick<RunView, 'waiting' | 'waitsUntilMs'>): string {
  const until = waitsUntilMs === null ? '' : ` until ${inClock(new Date(waitsUntilMs), new Date())}`
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
