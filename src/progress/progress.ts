import type { Waiting } from '../pacing/waiting.js'
import type { Tally } from '../tally.js'
import { inDigits, inLimit } from '../words.js'

/** A run as it stands, for whoever shows it. */
export interface RunView {
  /** Items of the whole input. */
  read: number
  tally: Tally
  requests: { sent: number; rateLimited: number }
  waiting: Waiting
  /** Set when the run was asked to stop. */
  stoppingBecause: string | null
}

/** The promise of a progress display: looks at the run from time to time and shows it on stderr. */
export interface Progress {
  stop(): void
}

/** The run in one line: `120/40,000: 118 succeeded, 2 failed; waiting for the window 240/m`. */
export function progressText(view: RunView): string {
  const { read, tally } = view
  const { read: _read, left: _left, ...counts } = tally.totals(read)
  const words = Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `${inDigits(times)} ${status}`)
  const doing =
    view.stoppingBecause === null ? waitingText(view.waiting) : `stopping: ${view.stoppingBecause}`
  return `${inDigits(tally.settled)}/${inDigits(read)}${words.length === 0 ? '' : `: ${words.join(', ')}`}${doing && `; ${doing}`}`
}

function waitingText(waiting: Waiting): string {
  switch (waiting.kind) {
    case 'nothing':
      return ''
    case 'window':
      return `waiting for the window ${inLimit(waiting.window)}`
    case 'giving_way':
      return `giving way to others: ${inLimit(waiting.window)}`
    case 'paused':
      return 'paused'
    case 'rate_limited':
      return 'waiting: the API answered 429'
    case 'quota':
      return 'waiting: the API has no calls left for us'
    case 'outage':
      return 'waiting: the API is failing'
    case 'hours':
      return 'waiting for --hours'
  }
}
