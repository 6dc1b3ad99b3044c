import type { Outcome } from '../item.js'
import type { ApiAnswer, Verdict } from '../job.js'
import { noQuota } from '../settings/limits.js'
import { cleanMessage } from '../system/text.js'

/**
 * What an answer means when the operation itself has nothing special to say about it. `done` is the reason of a
 * success. An operation looks first at the answers that it knows better.
 */
export function verdictOf(answer: ApiAnswer, done: string): Verdict {
  switch (answer.kind) {
    case 'unreachable':
      return again('unreachable', { status: 'failed', reason: 'network_error', message: answer.message })
    case 'lost':
      return again('lost', { status: 'unknown', reason: answer.reason, message: answer.message })
    case 'answer':
      return verdictOfStatus(answer, done)
  }
}

/** Settles the item with this outcome, on the word of this answer. */
export function settledBy(
  answer: Extract<ApiAnswer, { kind: 'answer' }>,
  outcome: Pick<Outcome, 'status' | 'reason'> & { message?: string },
): Verdict {
  return {
    kind: 'settled',
    quota: answer.quota,
    outcome: { message: apiMessage(answer.body), ...outcome, httpStatus: answer.status },
  }
}

function verdictOfStatus(answer: Extract<ApiAnswer, { kind: 'answer' }>, done: string): Verdict {
  const { status, quota } = answer
  const failed = (reason: string): Outcome => ({
    status: 'failed',
    reason,
    httpStatus: status,
    message: apiMessage(answer.body) || `HTTP ${status}`,
  })
  if (status >= 200 && status < 300 && isWebPage(answer.body)) {
    const message = `HTTP ${status} with a web page, which is not the API's: check the base URL, or a proxy`
    return { kind: 'again', cause: 'answered', quota, outcome: { ...failed('server_error'), message } }
  }
  if (status >= 200 && status < 300)
    return settledBy(answer, { status: 'succeeded', reason: done, message: '' })
  if (status === 401 || status === 403) return { kind: 'refused', quota, outcome: failed('rejected') }
  if (status === 404) return settledBy(answer, failed('not_found'))
  if (status === 408) return { kind: 'again', cause: 'answered', quota, outcome: failed('rejected') }
  if (status === 429) return { kind: 'rate_limited', quota, outcome: failed('rate_limited') }
  if (status >= 500) return { kind: 'again', cause: 'answered', quota, outcome: failed('server_error') }
  if (status >= 300 && status < 400) {
    const message = `HTTP ${status}: redirects are not followed; check the base URL`
    return settledBy(answer, { ...failed('rejected'), message })
  }
  return settledBy(answer, failed('rejected'))
}

/** Of a sign-in page, or of another host that answers everything so: nothing was done. */
function isWebPage(body: unknown): boolean {
  return typeof body === 'string' && /^\s*</.test(body)
}

function again(cause: 'unreachable' | 'lost', outcome: Omit<Outcome, 'httpStatus'>): Verdict {
  return { kind: 'again', cause, quota: noQuota, outcome: { ...outcome, httpStatus: null } }
}

/** Neither part looks past the next of its own openings, so that no text takes more than one pass. */
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
