import type { Totals } from '../checkpoint/summary.js'
import { cleanMessage, counted, inDigits, inTime } from '../system/text.js'

/** The promise of a notice: tells somebody outside of what becomes of a run. */
export interface Notice {
  /** By which its failures are told. Of an address only the origin: the rest of it is a secret. */
  readonly name: string
  /** How often it wants to hear that a run goes on; Infinity: never. */
  readonly everyMs: number
  /** May throw; nothing of an address stands in the message. Gives up when the signal is aborted. */
  tell(news: RunNews, signal: AbortSignal): Promise<void>
}

export type NewsEvent =
  /** The first item is about to begin, of a new run or of a resumed one. */
  | 'started'
  /** The run goes on. */
  | 'going'
  /** The API fails for everybody: the run pauses and probes. */
  | 'breaker-opened'
  /** Every item is settled. */
  | 'finished'
  /** Items are left. */
  | 'stopped'
  /** Nothing was sent. */
  | 'failed-to-start'

/** What is told. The names are contract: `--notify` posts them. No IDs of items, and no answers of the API. */
export interface RunNews {
  event: NewsEvent
  /** Null, as what follows, when the run could not start. */
  run: string | null
  job: string | null
  instance: string | null
  directory: string | null
  startedAt: string | null
  /** Null while the run goes on, as what follows. */
  finishedAt: string | null
  exitCode: number | null
  stoppedBecause: string | null
  totals: Totals | null
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
  checkpointHead: string | null
  /** The API fails for everybody just now. */
  isBreakerOpen: boolean
  host: string
  version: string
}

/** The news in a sentence or two. */
export function newsText(news: RunNews): string {
  const { event, totals, exitCode } = news
  const name = `${news.run ?? news.job ?? 'ada-bulk'}${news.instance === null ? '' : ` on ${news.instance}`}`
  const because = `${(news.stoppedBecause ?? '').replace(/\.$/, '')}.`
  const standing = totals === null ? '' : ` ${standingText(totals)}`
  switch (event) {
    case 'started':
      return `${name} has begun.${standing}`
    case 'going':
      return `${name} goes on.${standing}`
    case 'breaker-opened':
      return `${name} waits: the API is failing for everybody.${standing}`
    case 'finished':
      return totals === null
        ? `${name}: nothing is left to do (exit code ${exitCode}).`
        : `${name} is finished${lasted(news)} (exit code ${exitCode}).${standing}`
    case 'stopped':
      return `${name} stopped (exit code ${exitCode}): ${because}${standing}`
    case 'failed-to-start':
      return `${name} could not start (exit code ${exitCode}): ${because}`
  }
}

/** `40,000 items: 39,000 succeeded, 998 left.` */
function standingText({ read, ...counts }: Totals): string {
  const words = Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `${inDigits(times)} ${status}`)
  return `${counted(read, 'item')}${words.length === 0 ? '' : `: ${words.join(', ')}`}.`
}

function lasted({ startedAt, finishedAt }: RunNews): string {
  return startedAt === null || finishedAt === null
    ? ''
    : ` after ${inTime(Date.parse(finishedAt) - Date.parse(startedAt))}`
}

const longestBecause = 200

/**
 * Why a run stopped, fit to leave the house: an answer of the API or a line of a file may be quoted in it, so what
 * could be a person's address, a number of theirs or an ID is taken out.
 */
export function withoutPersonal(because: string): string {
  return cleanMessage(
    because
      .replace(/[^\s<>"'(),:;]+@[^\s<>"'(),:;]+/g, '[address]')
      .replace(/\b(?=[a-f-]*\d)[a-f\d][a-f\d-]{14,}[a-f\d]\b/gi, '[id]')
      .replace(/\+\d[\d ()/.-]{6,}\d|\b\d{9,}\b/g, '[number]'),
    longestBecause,
  )
}
