import type { Outcome } from '../item.js'
import type { ApiAnswer, Verdict } from '../job.js'
import { noQuota } from '../settings/limits.js'
import { cleanMessage } from '../system/text.js'

type Answer = Extract<ApiAnswer, { kind: 'answer' }>

interface Meaning {
  from: number
  to: number
  /** Only for answers like this. */
  when?: (answer: Answer) => boolean
  /**
   * The item succeeded, or failed for good; worth another try; it may be done or not; a rate limit; or the API refuses
   * the key or the item (paced.ts finds out which).
   */
  verdict: 'done' | 'failed' | 'again' | 'lost' | 'unconfirmed' | 'rate_limited' | 'refused'
  /** Empty: the operation's own. */
  reason: string
  /** In place of what the body says. */
  message?: (answer: Answer) => string
}

/**
 * What an answer means by its status, when the operation itself has nothing special to say about it: the first row
 * that matches. An operation looks first at the answers that it knows better.
 */
const meanings: readonly Meaning[] = [
  { from: 200, to: 200, when: isConfirmed, verdict: 'done', reason: '' },
  { from: 200, to: 299, verdict: 'unconfirmed', reason: 'unconfirmed', message: unconfirmed },
  { from: 300, to: 399, verdict: 'failed', reason: 'rejected', message: redirect },
  { from: 429, to: 429, verdict: 'rate_limited', reason: 'rate_limited' },
  { from: 400, to: 499, when: isTurnedAway, verdict: 'again', reason: 'server_error', message: turnedAway },
  { from: 401, to: 401, verdict: 'refused', reason: 'rejected' },
  { from: 408, to: 408, verdict: 'again', reason: 'rejected' },
  { from: 400, to: 499, when: isBroken, verdict: 'lost', reason: 'connection_lost', message: broken },
  { from: 403, to: 403, when: isByApi, verdict: 'refused', reason: 'forbidden' },
  { from: 403, to: 403, verdict: 'again', reason: 'server_error', message: turnedAway },
  { from: 404, to: 404, verdict: 'failed', reason: 'not_found' },
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
        ({ from, to, when }) => from <= status && status <= to && (when?.(answer) ?? true),
      )!
      if (row.verdict === 'done') return settledBy(answer, { status: 'succeeded', reason: done, message: '' })
      const message = row.message?.(answer) ?? (apiMessage(body) || `HTTP ${status}`)
      const outcome: Outcome = { status: 'failed', reason: row.reason, httpStatus: status, message }
      switch (row.verdict) {
        case 'failed':
          return { kind: 'settled', quota, outcome }
        case 'again':
          return { kind: 'again', cause: 'answered', quota, outcome }
        case 'lost':
        case 'unconfirmed':
          return { kind: 'again', cause: row.verdict, quota, outcome: { ...outcome, status: 'unknown' } }
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

/** A JSON object that speaks of no errors. */
function isConfirmed(answer: Answer): boolean {
  const { body } = answer
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return false
  return !('errors' in body) && !answer.isBroken && !isTurnedAway(answer)
}

function unconfirmed(answer: Answer): string {
  const { status, body } = answer
  if (isTurnedAway(answer)) return turnedAway(answer)
  if (isWebPage(body))
    return `HTTP ${status} with a web page, which is not the API's: check the base URL, or a proxy`
  const said = apiMessage(body)
  return `HTTP ${status} without a confirmation${said && `: ${said}`}`
}

/** The API's own format of an error. */
function isByApi({ body }: Answer): boolean {
  const { errors, message } = (body ?? {}) as { errors?: unknown; message?: unknown }
  return Array.isArray(errors) || typeof message === 'string'
}

function isBroken(answer: Answer): boolean {
  return answer.isBroken === true
}

function broken({ status }: Answer): string {
  return `HTTP ${status} with an answer that was cut off or cannot be read`
}

/** A firewall or CDN says in a header that it answered in the API's place. */
function isTurnedAway({ headers = {} }: Answer): boolean {
  return headers['x-amzn-waf-action'] !== undefined || headers['cf-mitigated'] !== undefined
}

function turnedAway(answer: Answer): string {
  const { status, body, headers = {} } = answer
  const title = apiMessage(body)
  return `HTTP ${status} from ${nameOf(headers, body)} between here and the API${title && `: ${title}`}`
}

function nameOf(headers: NonNullable<Answer['headers']>, body: unknown): string {
  if (headers['x-amzn-waf-action'] !== undefined) return 'a firewall (AWS WAF)'
  if (headers['cf-mitigated'] ?? headers['cf-ray'] ?? headers.server === 'cloudflare') return 'Cloudflare'
  return isWebPage(body) ? 'a firewall or proxy (a web page)' : 'a firewall or proxy'
}

function isWebPage(body: unknown): boolean {
  return typeof body === 'string' && /^\s*</.test(body)
}

function redirect({ status }: Answer): string {
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
