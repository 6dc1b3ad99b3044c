import { createdFields, firstMoment, lastMoment, updatedFields } from '../record-dates.js'
import { type Filter, lacking, refused } from './filter.js'

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
      return updatedMs === null ? lacking(record, fields, 'a moment', '--idle') : judge(updatedMs)
    },
    judgeAgain: judge,
  }
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
