import type { Outcome } from '../item.js'
import type { ApiAnswer, Verdict } from '../job.js'
import { noQuota } from '../settings/limits.js'
import { cleanMessage } from '../system/text.js'

type Answer = Extract<ApiAnswer, { kind: 'answer' }>

interface Meaning {
  from: number
  to: number
  /** Only for bodies like this. */
  body?: (body: unknown) => boolean
  /** The item succeeded, or failed for good; worth another try; a rate limit; or the key is wrong and the run stops. */
  verdict: 'done' | 'failed' | 'again' | 'rate_limited' | 'refused'
  /** Empty: the operation's own. */
  reason: string
  /** In place of what the body says. */
  message?: (status: number) => string
}

/**
 * What an answer means by its status, when the operation itself has nothing special to say about it: the first row
 * that matches. An operation looks first at the answers that it knows better.
 */
const meanings: readonly Meaning[] = [
  { from: 200, to: 299, verdict: 'again', reason: 'server_error', body: isWebPage, message: webPage },
  { from: 200, to: 299, verdict: 'done', reason: '' },
  { from: 300, to: 399, verdict: 'failed', reason: 'rejected', message: redirect },
  { from: 401, to: 401, verdict: 'refused', reason: 'rejected' },
  { from: 403, to: 403, verdict: 'refused', reason: 'rejected' },
  { from: 404, to: 404, verdict: 'failed', reason: 'not_found' },
  { from: 408, to: 408, verdict: 'again', reason: 'rejected' },
  { from: 429, to: 429, verdict: 'rate_limited', reason: 'rate_limited' },
  { from: 500, to: 999, verdict: 'again', reason: 'server_error' },
  { from: 0, to: 999, verdict: 'failed', reason: 'rejected' },
]

/** `done` is the reason of a success. */
export function verdictOf(answer: ApiAnswer, done: string): Verdict {
  switch (answer.kind) {
    case 'unreachable':
      return unanswered('unreachable', 'failed', 'network_error', answer.message)
    case 'lost':
      return unanswered('lost', 'unknown', answer.reason, answer.message)
    case 'answer': {
      const { status, body, quota } = answer
      const row = meanings.find(
        ({ from, to, body: isMeant }) => from <= status && status <= to && (isMeant?.(body) ?? true),
      )!
      if (row.verdict === 'done') return settledBy(answer, { status: 'succeeded', reason: done, message: '' })
      const message = row.message?.(status) ?? (apiMessage(body) || `HTTP ${status}`)
      const outcome: Outcome = { status: 'failed', reason: row.reason, httpStatus: status, message }
      switch (row.verdict) {
        case 'failed':
          return { kind: 'settled', quota, outcome }
        case 'again':
          return { kind: 'again', cause: 'answered', quota, outcome }
        default:
          return { kind: row.verdict, quota, outcome }
      }
    }
  }
}

/** Settles the item with this outcome, on the word of this answer. */
export function settledBy(
  answer: Answer,
  outcome: Pick<Outcome, 'status' | 'reason'> & { message?: string },
): Verdict {
  return {
    kind: 'settled',
    quota: answer.quota,
    outcome: { message: apiMessage(answer.body), ...outcome, httpStatus: answer.status },
  }
}

/** A success without what it should say was cut off, or comes from elsewhere: it proves nothing, and is worth another try. */
export function unusable({ status, quota }: Answer, message: string): Verdict {
  const outcome = { status: 'failed', reason: 'server_error', httpStatus: status, message } as const
  return { kind: 'again', cause: 'answered', quota, outcome }
}

/** A sign-in page, or a host that answers everything like that: nothing was done. */
function isWebPage(body: unknown): boolean {
  return typeof body === 'string' && /^\s*</.test(body)
}

function webPage(status: number): string {
  return `HTTP ${status} with a web page, which is not the API's: check the base URL, or a proxy`
}

function redirect(status: number): string {
  return `HTTP ${status}: redirects are not followed; check the base URL`
}

function unanswered(
  cause: 'unreachable' | 'lost',
  status: 'failed' | 'unknown',
  reason: string,
  message: string,
): Verdict {
  return { kind: 'again', cause, quota: noQuota, outcome: { status, reason, httpStatus: null, message } }
}

/** Neither part looks beyond its next opening, so that no text takes more than one pass. */
const markup = /<(style|script)\b(?:(?!<\1\b)[\s\S])*?<\/\1>|<[^<>]*>/gi

/**
 * What an error body says, for people: the messages of `errors[]`, else `message`, else the text. Tolerates
 * anything, as no catalogue of errors is published.
 */
export function apiMessage(body: unknown): string {
  const text = textOf(body)
  // Dots alone say less than the status.
  return /[\p{L}\p{N}]/u.test(text) ? text : ''
}

function textOf(body: unknown): string {
  if (typeof body === 'string') return cleanMessage(body.replace(markup, ' '))
  if (typeof body !== 'object' || body === null) return ''
  const { errors, message } = body as { errors?: unknown; message?: unknown }
  if (Array.isArray(errors)) {
    const parts = errors.slice(0, 5).flatMap((error) => {
      const text = typeof error === 'string' ? error : ((error?.message ?? error?.type) as unknown)
      return typeof text === 'string' && text !== '' ? [text + detailsOf(error?.details)] : []
    })
    if (parts.length > 0) return cleanMessage(parts.join('; '))
  }
  return typeof message === 'string' ? cleanMessage(message) : ''
}

function detailsOf(details: unknown): string {
  if (details === null || details === undefined || details === '') return ''
  try {
    return ` (${typeof details === 'string' ? details : JSON.stringify(details)})`
  } catch {
    // Nested deeper than JSON.stringify can go, though JSON.parse could.
    return ''
  }
}
