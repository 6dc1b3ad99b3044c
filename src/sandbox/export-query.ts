import { type Answer, refusal } from './answers.js'
import type { Position } from './timeline.js'

export interface ExportQuery {
  by: ExportDate
  /** Inclusive: the lower bound, or where the page before ended. */
  from: Position
  /** Whether the page goes on after another one. */
  isContinued: boolean
  /** Exclusive. */
  toMs: number
  pageSize: number
}

export type ExportDate = 'created' | 'updated'

const dayMs = 86_400_000
const pageSizeMax = 10_000

/** Reads the parameters as the real API does, or says what is wrong with them. */
export function queryOf(
  parameters: URLSearchParams,
  dates: readonly ExportDate[],
  nowMs: number,
  pageSizeMin: number,
): ExportQuery | Answer {
  try {
    return read(parameters, dates, nowMs, pageSizeMin)
  } catch (error) {
    if (!(error instanceof Wrong)) throw error
    const { parameter, message } = error
    return refusal(400, 'validation_error', `Invalid ${parameter}`, [
      { parameter, location: 'query', message },
    ])
  }
}

/** Where a page ended, in a form that a client cannot make sense of. */
export function cursorOf({ atMs, id }: Position): string {
  return Buffer.from(JSON.stringify([atMs, id])).toString('base64url')
}

class Wrong extends Error {
  constructor(
    readonly parameter: string,
    message: string,
  ) {
    super(message)
  }
}

function read(
  parameters: URLSearchParams,
  dates: readonly ExportDate[],
  nowMs: number,
  pageSizeMin: number,
): ExportQuery {
  const by = dateOf(parameters, dates)
  const sinceMs = momentOf(parameters, `${by}_since`)!
  const toMs = momentOf(parameters, `${by}_to`) ?? sinceMs + 7 * dayMs
  if (sinceMs < twelveMonthsBefore(nowMs)) {
    throw new Wrong(`${by}_since`, 'must not be more than 12 months ago')
  }
  if (toMs <= sinceMs) throw new Wrong(`${by}_to`, `must be after ${by}_since`)
  if (toMs - sinceMs > 60 * dayMs) {
    throw new Wrong(`${by}_to`, `must be at most 60 days after ${by}_since`)
  }
  const cursor = parameters.get('cursor')
  return {
    by,
    from: cursor === null ? { atMs: sinceMs, id: '' } : positionOf(cursor),
    isContinued: cursor !== null,
    toMs,
    pageSize: pageSizeOf(parameters, pageSizeMin),
  }
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

function pageSizeOf(parameters: URLSearchParams, pageSizeMin: number): number {
  const text = parameters.get('page_size') ?? String(pageSizeMax)
  const pageSize = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (pageSize >= pageSizeMin && pageSize <= pageSizeMax) return pageSize
  throw new Wrong('page_size', `must be a whole number from ${pageSizeMin} to ${pageSizeMax}`)
}

function positionOf(cursor: string): Position {
  try {
    const [atMs, id] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (typeof atMs === 'number' && typeof id === 'string') return { atMs, id }
  } catch {
    // It is not one of ours, like one of the wrong shape.
  }
  throw new Wrong('cursor', 'is not one that was given out')
}

function twelveMonthsBefore(nowMs: number): number {
  const moment = new Date(nowMs)
  return moment.setUTCFullYear(moment.getUTCFullYear() - 1)
}
