import { type SettledItem, type Status, statuses } from '../item.js'
import { fieldsOfLine, ordinalMax } from './line-shapes.js'
import { usualLine } from './usual-line.js'

/** The line of a settled item. The order of the first three fields is relied on by `read.ts`, which does not parse every line. */
export function lineOf(settled: SettledItem): object {
  return {
    n: settled.ordinal,
    status: settled.status,
    reason: settled.reason,
    id: settled.id,
    http: settled.httpStatus,
    attempts: settled.attempts,
    at: settled.finishedAt,
    ms: settled.durationMs,
    message: settled.message,
    source: settled.source,
    line: settled.line,
  }
}

/** What the fields of a usual line hold, in the order of `lineOf`, from 1 on. */
export const usualSettledLine = usualLine({
  n: 'count',
  status: 'text',
  reason: 'text',
  id: 'text',
  http: 'httpStatus',
  attempts: 'count',
  at: 'moment',
  ms: 'count',
  message: 'text',
  source: 'text',
  line: 'count',
})

/** Turns a settled item's line back into the item; null when the line is none. */
export function settledItemOf(line: string): SettledItem | null {
  const found = usualSettledLine(line)
  if (found === null) return parsed(line)
  const item: SettledItem = {
    ordinal: Number(found[1]),
    id: found[4]!,
    status: found[2] as Status,
    reason: found[3]!,
    httpStatus: found[5] === 'null' ? null : Number(found[5]),
    attempts: Number(found[6]),
    finishedAt: found[7]!,
    durationMs: Number(found[8]),
    message: found[9]!,
    source: found[10]!,
    line: Number(found[11]),
  }
  const isRight = item.ordinal <= ordinalMax && statuses.includes(item.status)
  return isRight && !Number.isNaN(Date.parse(item.finishedAt)) ? item : null
}

interface LineOfSettled
  extends Pick<SettledItem, 'id' | 'status' | 'reason' | 'attempts' | 'message' | 'source' | 'line'> {
  n: number
  http: number | null
  at: string
  ms: number
}

function parsed(line: string): SettledItem | null {
  const fields = fieldsOfLine(line) as LineOfSettled | null
  if (fields === null || !('n' in fields)) return null
  const { n, http, at, ms, id, status, reason, attempts, message, source } = fields
  return {
    ordinal: n,
    id,
    status,
    reason,
    httpStatus: http,
    attempts,
    finishedAt: at,
    durationMs: ms,
    message,
    source,
    line: fields.line,
  }
}
