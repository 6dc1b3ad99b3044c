import type { Totals } from '../checkpoint/summary.js'
import { cleanMessage, counted, inDigits, inTime } from '../system/text.js'

/** Notifies someone outside of a run's events. */
export interface Notifier {
  /** Names it in messages. An address shows its origin only: the rest of it is a secret. */
  readonly name: string
  /** How often it notifies that a run is at work; Infinity: never. */
  readonly everyMs: number
  /** May throw; the message has nothing of an address. Gives up when the signal is aborted. */
  notify(notification: Notification, signal: AbortSignal): Promise<void>
}

export type NotificationEvent =
  /** The first item is about to begin, of a new run or of a resumed one. */
  | 'started'
  /** The run is at work. */
  | 'going'
  /** The API fails for everybody: the run pauses and probes. */
  | 'breaker-opened'
  /** Every item is settled. */
  | 'finished'
  /** Items are left. */
  | 'stopped'
  /** Nothing was sent. */
  | 'failed-to-start'

/** The names are contract: `--notify` posts them. No IDs of items, and no answers of the API. */
export interface Notification {
  event: NotificationEvent
  /** Null, like the next ones, when the run could not start. */
  run: string | null
  job: string | null
  instance: string | null
  directory: string | null
  startedAt: string | null
  /** Null while the run is at work, like the next ones. */
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

/** The notification in a sentence or two. */
export function notificationText(notification: Notification): string {
  const { event, totals, exitCode } = notification
  const name = `${notification.run ?? notification.job ?? 'ada-bulk'}${notification.instance === null ? '' : ` on ${notification.instance}`}`
  const because = `${(notification.stoppedBecause ?? '').replace(/\.$/, '')}.`
  const counts = totals === null ? '' : ` ${totalsText(totals)}`
  switch (event) {
    case 'started':
      return `${name} has begun.${counts}`
    case 'going':
      return `${name} goes on.${counts}`
    case 'breaker-opened':
      return `${name} waits: the API is failing for everybody.${counts}`
    case 'finished':
      return totals === null
        ? `${name}: nothing is left to do (exit code ${exitCode}).`
        : `${name} is finished${lasted(notification)} (exit code ${exitCode}).${counts}`
    case 'stopped':
      return `${name} stopped (exit code ${exitCode}): ${because}${counts}`
    case 'failed-to-start':
      return `${name} could not start (exit code ${exitCode}): ${because}`
  }
}

/** `40,000 items: 39,000 succeeded, 998 left.` */
function totalsText({ read, ...others }: Totals): string {
  const words = Object.entries(others)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `${inDigits(times)} ${status}`)
  return `${counted(read, 'item')}${words.length === 0 ? '' : `: ${words.join(', ')}`}.`
}

function lasted({ startedAt, finishedAt }: Notification): string {
  return startedAt === null || finishedAt === null
    ? ''
    : ` after ${inTime(Date.parse(finishedAt) - Date.parse(startedAt))}`
}

const longestBecause = 200

/**
 * Why a run stopped, fit to be sent outside: it may quote an answer of the API or a line of a file, so anything that
 * could be a person's address, number or ID is taken out.
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
