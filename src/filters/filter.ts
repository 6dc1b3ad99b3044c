import type { Item } from '../item.js'

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

/** An item that lacks what a filter has to look at is never silently taken, nor silently left out. */
export function lacking(what: string, forWhat: string): Refusal {
  return { status: 'invalid', reason: 'bad_row', message: `has no ${what}, which ${forWhat} needs` }
}

/** The filter's own word for an item that it turns away. */
export function refused(reason: string, message = ''): Refusal {
  return { status: 'filtered', reason, message }
}
