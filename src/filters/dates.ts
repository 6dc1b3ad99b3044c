import type { Refusal } from '../item.js'
import type { Filter } from '../job.js'
import { momentMs } from '../system/moment.js'
import { lacking, refused } from './refusal.js'

type Fields = Readonly<Record<string, unknown>>

/** The fields of a moment, as Data Export and as the API's own answers call them. */
const updatedFields = ['date_updated', 'updated_at']
const createdFields = ['date_created', 'created_at']

/** When a record was last touched (Unix); null when it does not say. */
export function updatedMsOf(record: Fields): number | null {
  return lastMoment(record, updatedFields)
}

/** A date without a time means the end of that day: an item that was touched in the evening is not idle since the morning. */
function lastMoment(record: Fields, fields: readonly string[]): number | null {
  const field = momentField(record, fields)
  const ms = firstMoment(record, fields)
  const isDay = field !== undefined && /^\s*\d{4}-\d\d-\d\d\s*$/.test(String(record[field]))
  return ms !== null && isDay ? ms + dayMs - 1 : ms
}

/** The moment in the first of these fields that has one (Unix). */
function firstMoment(record: Fields, fields: readonly string[]): number | null {
  const field = momentField(record, fields)
  return field === undefined ? null : momentMs(record[field])
}

/** Databases write 1970 or the year 1 where they have no date: that must not pass for long ago. */
function momentField(record: Fields, fields: readonly string[]): string | undefined {
  return fields.find((field) => (momentMs(record[field]) ?? 0) >= earliestMs)
}

const dayMs = 86_400_000
const earliestMs = Date.UTC(2000)

/** Leaves only items that were last updated `idleMs` before `nowMs` (Unix) or earlier; `field` replaces the usual names. */
export function idleLongerThan(idleMs: number, nowMs: number, field?: string): Filter {
  const fields = field === undefined ? updatedFields : [field]
  const latestMs = nowMs - idleMs
  const judge = (updatedMs: number) =>
    updatedMs <= latestMs ? null : refused('not_stale', `updated ${new Date(updatedMs).toISOString()}`)
  return {
    name: 'idle',
    judge(item) {
      const record = item.record()
      const updatedMs = lastMoment(record, fields)
      return updatedMs === null ? lackingMoment(record, fields, field) : judge(updatedMs)
    },
    judgeAgain: judge,
  }
}

/** A CSV may call the column anything. */
function lackingMoment(record: Fields, fields: readonly string[], field?: string): Refusal {
  const refusal = lacking(record, fields, 'a moment', '--idle')
  const isUnnamed = field === undefined && refusal.message.startsWith('has no')
  return isUnnamed ? { ...refusal, message: `${refusal.message}; --date-column NAME names another` } : refusal
}

/** Leaves only what was created at or after `fromMs` and before `toMs` (Unix, or infinite). */
export function createdBetween(fromMs: number, toMs: number): Filter {
  const flag = fromMs === Number.NEGATIVE_INFINITY ? '--created-before' : '--created-after'
  return {
    name: 'created',
    judge(item) {
      const record = item.record()
      const createdMs = firstMoment(record, createdFields)
      if (createdMs === null) return lacking(record, createdFields, 'a moment', flag)
      if (createdMs < fromMs) return refused('created_too_early')
      return createdMs >= toMs ? refused('created_too_late') : null
    },
  }
}
