import type { Refusal } from '../item.js'
import type { Filter } from '../job.js'
import { createdFields, firstMoment, lastMoment, updatedFields } from './record-dates.js'
import { lacking, refused } from './refusal.js'

/** Leaves only what nobody has touched for so long before `nowMs` (Unix); `field` replaces the usual names. */
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
function lackingMoment(
  record: Readonly<Record<string, unknown>>,
  fields: readonly string[],
  field?: string,
): Refusal {
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
