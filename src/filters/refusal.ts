import type { Refusal } from '../item.js'
import { cleanMessage } from '../system/text.js'

type Fields = Readonly<Record<string, unknown>>

/**
 * An item that lacks what a filter has to look at is never silently taken, nor silently left out. `meaning` is what
 * the first of the fields that is there should be: `a moment`.
 */
export function lacking(record: Fields, fields: readonly string[], meaning: string, flag: string): Refusal {
  const found = fields.find((field) => Object.hasOwn(record, field) && isThere(record[field]))
  const message =
    found === undefined
      ? `has no ${fields.join(' or ')}, which ${flag} needs`
      : `${found} is not ${meaning}, which ${flag} needs: ${cleanMessage(String(JSON.stringify(record[found])), 60)}`
  return { status: 'invalid', reason: 'bad_row', message }
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== null && !(typeof value === 'string' && value.trim() === '')
}

/** The filter's own word for an item that it turns away. */
export function refused(reason: string, message = ''): Refusal {
  return { status: 'filtered', reason, message }
}
