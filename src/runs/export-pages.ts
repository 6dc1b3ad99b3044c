import type { ApiAnswer, Operation, Verdict } from '../job.js'
import { settledBy, unusable, verdictOf } from '../operations/answer.js'
import type { RateWindow } from '../settings/limits.js'
import { type ExportSpan, exportHistoryMs } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'

/** Ada's limits for Data Export, an instance. Source: Ada's public documentation, October 2026. */
export const exportLimits: readonly RateWindow[] = [
  { max: 10, perMs: 1000 },
  { max: 100, perMs: 60_000 },
  { max: 15_000, perMs: 86_400_000 },
]

const dayMs = 86_400_000

/** One query spans at most 60 days. Source: Ada's public documentation, October 2026. */
const queryAtMostMs = 60 * dayMs

/** The edge of the history moves on while pages are fetched. */
const graceMs = dayMs / 2

/** The queries that a span takes, one after another. */
export function queriesOf(span: ExportSpan): ExportSpan[] {
  const queries: ExportSpan[] = []
  for (let fromMs = span.fromMs; fromMs < span.toMs; fromMs += queryAtMostMs) {
    queries.push({ by: span.by, fromMs, toMs: Math.min(fromMs + queryAtMostMs, span.toMs) })
  }
  return queries
}

/** The part of a query that the history still holds: a download may be resumed days after it began. */
export function sinceEdge(query: ExportSpan, nowMs: number): ExportSpan {
  const edgeMs = Math.min(nowMs - exportHistoryMs - graceMs, query.toMs - 1)
  return { ...query, fromMs: Math.max(query.fromMs, edgeMs) }
}

/** A query as a path. Timestamps are UTC and end in `Z`. */
export function queryPath({ by, fromMs, toMs }: ExportSpan, pageSize: number): string {
  const parameters = new URLSearchParams({
    [`${by}_since`]: new Date(fromMs).toISOString(),
    [`${by}_to`]: new Date(toMs).toISOString(),
    page_size: String(pageSize),
  })
  return `/api/v2/export/conversations?${parameters}`
}

/** The path of the next page. An address elsewhere is refused: the key would leak. */
export function nextPath(nextPageUri: string, origin: string, currentPath: string): string {
  const current = new URL(currentPath, origin)
  const next = URL.canParse(nextPageUri, current.href) ? new URL(nextPageUri, current) : null
  if (next === null || next.origin !== current.origin) {
    throw new UsageError(
      `the API names a next page on another host (${next?.host ?? 'not an address'}): the key is not sent there. Check the base URL.`,
    )
  }
  const path = next.pathname + next.search
  if (path !== currentPath) return path
  throw new UsageError(`the API names a page as its own next page (${path}): the export would never end.`)
}

export interface Page {
  records: Record<string, unknown>[]
  /** As the API gave it; null on the last page. */
  nextPageUri: string | null
}

/** A page of ten thousand records is tens of megabytes. */
const pageBytesMax = 128 * 1024 * 1024

/** Fetches one page, for pacing and retry to wrap. */
export function fetchPage(path: string, onPage: (page: Page) => void): Operation {
  return {
    name: 'export-page',
    verb: 'fetch',
    noun: 'page',
    limits: exportLimits,
    async attempt(_item, api, { abortSignal: signal }) {
      const answer = await api.call({ method: 'GET', path, signal, bodyBytesMax: pageBytesMax })
      const verdict = verdictOf(answer, 'fetched')
      const page = verdict.kind === 'settled' ? pageOf(answer) : null
      if (page === null) return withoutPage(answer, verdict)
      onPage(page)
      return verdict
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

/** A 2xx without a page was cut off and is worth another try. A 403 has a reason that people can mend. */
function withoutPage(answer: ApiAnswer, verdict: Verdict): Verdict {
  if (answer.kind !== 'answer') return verdict
  if (answer.status >= 200 && answer.status < 300)
    return unusable(answer, ['an answer without a page', verdict.outcome.message].filter(Boolean).join(': '))
  if (answer.status !== 403 || verdict.kind !== 'refused') return verdict
  const message =
    'Data Export is refused (HTTP 403): it needs the Data Export add-on, and a key of this instance'
  return settledBy(answer, { status: 'failed', reason: 'rejected', message })
}
