import type { Item } from '../item.js'

/** The promise of a filter: decides, with a reason, that an item is not to be done. Looks at the item only. */
export interface Filter {
  readonly name: string
  /** Null when the item may be done. `invalid` when the item lacks what the filter has to look at. */
  judge(item: Item): Refusal | null
}

export interface Refusal {
  status: 'filtered' | 'invalid'
  /** One word with underscores: `not_stale`, `on_hold`. */
  reason: string
  message: string
}
