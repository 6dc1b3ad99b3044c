import type { Api, ApiAnswer, Operation, Verdict } from '../job.js'
import { settledBy, verdictOf } from '../operations/answer.js'
import type { RateWindow } from '../settings/limits.js'

/** Ada's limits for Data Export, an instance. Source: Ada's public documentation, October 2026. */
export const exportLimits: readonly RateWindow[] = [
  { max: 10, perMs: 1000 },
  { max: 100, perMs: 60_000 },
  { max: 15_000, perMs: 86_400_000 },
]

export interface Page {
  records: Record<string, unknown>[]
  /** As the API gave it; null on the last page. */
  nextPageUri: string | null
}

/** A page of ten thousand records is tens of megabytes. */
const longestPageBytes = 128 * 1024 * 1024

/** An operation that fetches one page, for pacing and retry to wrap, and hands it over. */
export function fetchPage(path: string, onPage: (page: Page) => void): Operation {
  return {
    name: 'export-page',
    verb: 'fetch',
    noun: 'page',
    limits: exportLimits,
    async attempt(_item, api: Api, attempt) {
      const answer = await api.call({
        method: 'GET',
        path,
        signal: attempt.abortSignal,
        bodyBytesMax: longestPageBytes,
      })
      const page = pageOf(answer)
      if (page === null) return verdictWithoutPage(answer)
      onPage(page)
      return verdictOf(answer, 'fetched')
    },
  }
}

/** The three envelopes in use: `{data, meta}`, `{items, meta}`, `{data, next_page_uri}`. */
function pageOf(answer: ApiAnswer): Page | null {
  if (answer.kind !== 'answer' || answer.status !== 200) return null
  if (typeof answer.body !== 'object' || answer.body === null) return null
  const { data, items, meta, next_page_uri } = answer.body as Record<string, unknown>
  const records = data ?? items
  const next = (meta as Record<string, unknown> | undefined)?.next_page_uri ?? next_page_uri
  if (!Array.isArray(records)) return null
  return { records, nextPageUri: typeof next === 'string' && next !== '' ? next : null }
}

/** A 2xx without a page is an answer that was cut off: worth another try. A 403 has a reason that people can mend. */
function verdictWithoutPage(answer: ApiAnswer): Verdict {
  if (answer.kind !== 'answer') return verdictOf(answer, 'fetched')
  if (answer.status >= 200 && answer.status < 300) {
    const outcome = {
      status: 'failed',
      reason: 'server_error',
      httpStatus: answer.status,
      message: 'an answer without a page',
    } as const
    return { kind: 'again', cause: 'answered', quota: answer.quota, outcome }
  }
  if (answer.status === 403) {
    const message =
      'Data Export is refused (HTTP 403): it needs the Data Export add-on, and a key of this instance'
    return settledBy(answer, { status: 'failed', reason: 'rejected', message })
  }
  return verdictOf(answer, 'fetched')
}
