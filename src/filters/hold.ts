import type { IdSet } from '../id-set.js'
import type { Filter } from './filter.js'

/** Turns away every ID on a hold list. It goes before all other filters. */
export function notOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge: (item) => (held.has(item.id) ? { status: 'filtered', reason: 'on_hold', message: '' } : null),
  }
}
