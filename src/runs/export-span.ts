import type { ExportSpan } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'

const dayMs = 86_400_000

/** One query spans at most 60 days, and there are 12 months of history. Source: Ada's documentation, October 2026. */
const longestQueryMs = 60 * dayMs
/** A day less than a year, as the edge moves on while pages are fetched. */
export const historyMs = 364 * dayMs
/** Of that day. */
const graceMs = dayMs / 2

/** The queries that a span takes, one after another. */
export function queriesOf(span: ExportSpan): ExportSpan[] {
  const queries: ExportSpan[] = []
  for (let fromMs = span.fromMs; fromMs < span.toMs; fromMs += longestQueryMs) {
    queries.push({ by: span.by, fromMs, toMs: Math.min(fromMs + longestQueryMs, span.toMs) })
  }
  return queries
}

/** What of a query is left when it is asked late: a download may be resumed days after it began. */
export function sinceEdge(query: ExportSpan, nowMs: number): ExportSpan {
  const edgeMs = Math.min(nowMs - historyMs - graceMs, query.toMs - 1)
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
