import type { Item } from '../item.js'
import { cleanMessage } from '../message.js'

/** The promise of a filter: decides, with a reason, that an item is not to be done. Looks at the item only. */
export interface Filter {
  readonly name: string
  /** Null when the item may be done. `invalid` when the item lacks what the filter has to look at. */
  judge(item: Item): Refusal | null
  /**
   * Of filters that go by when the item was last touched: the same judgement for an item that was touched at
   * `updatedMs` (Unix), long after the input was made. Null when it may be done still.
   */
  judgeAgain?(updatedMs: number): Refusal | null
}

export interface Refusal {
  status: 'filtered' | 'invalid'
  /** One word with underscores: `not_stale`, `on_hold`. */
  reason: string
  message: string
}

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
