import { type Filter, lacking, refused } from './filter.js'
import { momentMs } from './moment.js'

/** Where the moment of the last change stands: in Data Export, in the API's own answers. */
const updatedFields = ['date_updated', 'updated_at']

/** Leaves only what nobody has touched for so long before `nowMs` (Unix); `field` replaces the usual names. */
export function idleLongerThan(idleMs: number, nowMs: number, field?: string): Filter {
  const fields = field === undefined ? updatedFields : [field]
  const latestMs = nowMs - idleMs
  const judge = (updatedMs: number) =>
    updatedMs <= latestMs ? null : refused('not_stale', `updated ${new Date(updatedMs).toISOString()}`)
  return {
    name: 'idle',
    judge(item) {
      const updatedMs = firstMoment(item.record(), fields)
      return updatedMs === null ? lacking(fields.join(' or '), '--idle') : judge(updatedMs)
    },
    judgeAgain: judge,
  }
}

/** Leaves only what was created at or after `fromMs` and before `toMs` (Unix). */
export function createdBetween(fromMs: number, toMs: number): Filter {
  const fields = ['date_created', 'created_at']
  return {
    name: 'created',
    judge(item) {
      const createdMs = firstMoment(item.record(), fields)
      if (createdMs === null) return lacking(fields.join(' or '), '--created-after or --created-before')
      if (createdMs < fromMs) return refused('created_too_early')
      return createdMs >= toMs ? refused('created_too_late') : null
    },
  }
}

/** When a record was last touched (Unix); null when it does not say. */
export function updatedMsOf(record: Readonly<Record<string, unknown>>): number | null {
  return firstMoment(record, updatedFields)
}

function firstMoment(record: Readonly<Record<string, unknown>>, fields: readonly string[]): number | null {
  for (const field of fields) {
    const ms = momentMs(record[field])
    if (ms !== null) return ms
  }
  return null
}
