import { type HttpHandler, http } from 'msw'
import { type Answer, json, refusal } from './answers.js'
import type { Before, Call } from './door.js'
import { cursorOf, type ExportDate, type ExportQuery, queryOf } from './export-query.js'
import { conversationRecord, type ExportRecord, messageRecord } from './export-records.js'
import type { Population } from './population.js'
import { at } from './route.js'
import type { Position, Timeline } from './timeline.js'

export interface ExportOptions {
  /** Whether the instance has the add-on. Without it: 403. */
  dataExport: boolean
  /** The smallest page that may be asked for. */
  pageSizeMin: number
  /** How the next page is named. A client that follows to another host gives its key away. */
  nextPageUri: 'relative' | 'absolute' | 'other-host'
  /** Whether a page begins with the last record of the one before. */
  repeatAtPageEdge: boolean
  /** What a page is wrapped in. */
  envelope: 'data' | 'items' | 'v1.4'
}

const conversationsPath = '/api/v2/export/conversations'
const messagesPath = '/api/v2/export/messages'

export function exportHandlers(before: Before, listed: Population, options: ExportOptions): HttpHandler[] {
  const timelines = { created: listed.byCreated, updated: listed.byUpdated }
  const conversations = exporter(['created', 'updated'], (by) => timelines[by], conversationRecord, options)
  const messages = exporter(['created'], () => listed.messages, messageRecord, options)
  return [
    http.get(at(conversationsPath), before(conversations)),
    http.get(at(messagesPath), before(messages)),
    ...[conversationsPath, messagesPath].map((path) => http.all(at(path), before(refuseMethod))),
  ]
}

function exporter<T extends { readonly id: string }>(
  dates: readonly ExportDate[],
  timelineBy: (date: ExportDate) => Timeline<T>,
  recordOf: (thing: T) => ExportRecord,
  options: ExportOptions,
): (call: Call, nowMs: number) => Answer {
  return ({ request }, nowMs) => {
    if (!options.dataExport) return refusal(403, 'forbidden', 'Data Export is not enabled for this instance')
    const url = new URL(request.url)
    const query = queryOf(url.searchParams, dates, nowMs, options.pageSizeMin)
    if ('status' in query) return query
    const timeline = timelineBy(query.by)
    const { things, hasMore } = timeline.slice(startOf(query, options), query.toMs, query.pageSize)
    const nextPage = hasMore ? nextPageOf(url, timeline.positionOf(things.at(-1)!), options) : null
    return json(200, wrapped(things.map(recordOf), nextPage, options))
  }
}

function startOf(
  { from, isContinued, pageSize }: ExportQuery,
  { repeatAtPageEdge }: ExportOptions,
): Position {
  // A page of one that is a repetition would never get on.
  const isRepeated = repeatAtPageEdge && pageSize > 1
  if (!isContinued || isRepeated) return from
  // No ID fits between one and the same with the smallest character after it.
  return { atMs: from.atMs, id: `${from.id}\0` }
}

function nextPageOf({ origin, pathname, searchParams }: URL, last: Position, options: ExportOptions): string {
  const parameters = new URLSearchParams(searchParams)
  parameters.set('cursor', cursorOf(last))
  const relative = `${pathname}?${parameters}`
  switch (options.nextPageUri) {
    case 'relative':
      return relative
    case 'absolute':
      return `${origin}${relative}`
    case 'other-host':
      return `https://elsewhere.example${relative}`
  }
}

function wrapped(records: ExportRecord[], nextPage: string | null, { envelope }: ExportOptions): object {
  switch (envelope) {
    case 'data':
      return { data: records, meta: { next_page_uri: nextPage } }
    case 'items':
      return { items: records, meta: { next_page_uri: nextPage } }
    case 'v1.4':
      return { message: 'Success', data: records, next_page_uri: nextPage }
  }
}

function refuseMethod({ request }: Call): Answer {
  return refusal(405, 'method_not_allowed', `Method ${request.method} is not allowed here`)
}
