import { type HttpHandler, http } from 'msw'
import { type Act, at, type Guard, invalid, json, refusal, refuseMethod } from './middleware.js'
import type { AdaSettings } from './options.js'
import {
  compare,
  conversationRecord,
  type Entry,
  messageRecord,
  type Order,
  type Population,
  type Position,
} from './population.js'

type Settings = Pick<AdaSettings, 'dataExport' | 'pageSizeMin' | 'nextPageOrigin'>

const dayMs = 86_400_000
const pageSizeMax = 10_000

/** Data Export. */
export function exportHandlers(guard: Guard, listed: Population, settings: Settings): HttpHandler[] {
  const conversationsOf = exporter(['created', 'updated'], (by) => by, conversationRecord, listed, settings)
  const messagesOf = exporter(['created'], () => 'messages', messageRecord, listed, settings)
  const paths = { conversations: at('/api/v2/export/conversations'), messages: at('/api/v2/export/messages') }
  return [
    http.get(paths.conversations, guard(conversationsOf)),
    http.get(paths.messages, guard(messagesOf)),
    ...Object.values(paths).map((path) => http.all(path, guard(refuseMethod))),
  ]
}

function exporter(
  dates: readonly ExportDate[],
  orderOf: (date: ExportDate) => Order,
  recordOf: (entry: Entry) => object,
  listed: Population,
  settings: Settings,
): Act {
  return ({ request }, nowMs) => {
    if (!settings.dataExport) return refusal(403, 'forbidden', 'Data Export is not enabled for this instance')
    const { pathname, searchParams } = new URL(request.url)
    try {
      const { by, from, toMs, pageSize } = queryOf(searchParams, dates, nowMs, settings.pageSizeMin)
      const entries = listed.inOrder(orderOf(by))
      const start = indexOf(entries, from)
      const end = Math.max(start, indexOf(entries, { atMs: toMs, id: '' }))
      const page = entries.slice(start, Math.min(end, start + pageSize))
      const hasMore = start + pageSize < end
      if (hasMore) searchParams.set('cursor', cursorOf(page.at(-1)!))
      const nextPage = hasMore ? `${settings.nextPageOrigin}${pathname}?${searchParams}` : null
      return json(200, { data: page.map(recordOf), meta: { next_page_uri: nextPage } })
    } catch (error) {
      if (!(error instanceof Wrong)) throw error
      const { parameter, message } = error
      return invalid(`Invalid ${parameter}`, [{ parameter, location: 'query', message }])
    }
  }
}

/** The index of the first entry at the position or after it. */
function indexOf(entries: readonly Entry[], position: Position): number {
  let low = 0
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compare(entries[middle]!, position) < 0) low = middle + 1
    else high = middle
  }
  return low
}

interface ExportQuery {
  by: ExportDate
  /** Inclusive: the lower bound, or where the page before ended. */
  from: Position
  /** Exclusive. */
  toMs: number
  pageSize: number
}

type ExportDate = 'created' | 'updated'

/** A parameter that the API refuses. */
class Wrong extends Error {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message)
  }
}

function queryOf(
  parameters: URLSearchParams,
  dates: readonly ExportDate[],
  nowMs: number,
  pageSizeMin: number,
): ExportQuery {
  const by = dateOf(parameters, dates)
  const sinceMs = momentOf(parameters, `${by}_since`)!
  const toMs = momentOf(parameters, `${by}_to`) ?? sinceMs + 7 * dayMs
  const twelveMonthsAgoMs = new Date(nowMs).setUTCFullYear(new Date(nowMs).getUTCFullYear() - 1)
  if (sinceMs < twelveMonthsAgoMs) throw new Wrong(`${by}_since`, 'must not be more than 12 months ago')
  if (toMs <= sinceMs) throw new Wrong(`${by}_to`, `must be after ${by}_since`)
  if (toMs - sinceMs > 60 * dayMs) throw new Wrong(`${by}_to`, `must be at most 60 days after ${by}_since`)
  const size = parameters.get('page_size') ?? String(pageSizeMax)
  const pageSize = /^\d+$/.test(size) ? Number(size) : Number.NaN
  if (!(pageSize >= pageSizeMin && pageSize <= pageSizeMax))
    throw new Wrong('page_size', `must be a whole number from ${pageSizeMin} to ${pageSizeMax}`)
  const cursor = parameters.get('cursor')
  const from = cursor === null ? { atMs: sinceMs, id: '' } : positionOf(cursor, pageSize)
  return { by, from, toMs, pageSize }
}

function dateOf(parameters: URLSearchParams, dates: readonly ExportDate[]): ExportDate {
  const given = (['created', 'updated'] as const).filter((date) => parameters.has(`${date}_since`))
  const [by, other] = given
  if (!by) throw new Wrong(`${dates[0]}_since`, `one of ${dates.map((date) => `${date}_since`)} is required`)
  if (other) throw new Wrong(`${other}_since`, `excludes ${by}_since`)
  if (!dates.includes(by)) throw new Wrong(`${by}_since`, 'is not supported here')
  const stray = by === 'created' ? 'updated_to' : 'created_to'
  if (parameters.has(stray)) throw new Wrong(stray, `does not go with ${by}_since`)
  return by
}

/** Null where the parameter is not given. */
function momentOf(parameters: URLSearchParams, name: string): number | null {
  const text = parameters.get(name)
  if (text === null) return null
  const atMs = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,6})?)?Z$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(atMs)) throw new Wrong(name, "must be an ISO 8601 UTC timestamp ending with 'Z'")
  return atMs
}

/** Where a page ended, in a form that a client cannot make sense of. */
function cursorOf({ atMs, id }: Position): string {
  return Buffer.from(JSON.stringify([atMs, id])).toString('base64url')
}

/** A page begins with the last record of the page before, but for a page of one: a client would never get past it. */
function positionOf(cursor: string, pageSize: number): Position {
  try {
    const [atMs, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    // No ID fits between one and the same with the smallest character after it.
    if (typeof atMs === 'number' && typeof id === 'string') return { atMs, id: pageSize > 1 ? id : `${id}\0` }
  } catch {
    // It is not one of ours, like one of the wrong shape.
  }
  throw new Wrong('cursor', 'is not one that was given out')
}
