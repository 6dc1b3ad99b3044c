import type { IdSet } from '../id-set.js'
import { type Filter, refused } from './filter.js'

/** Turns away every ID on a hold list. It goes before all other filters. */
export function notOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge: (item) => (held.has(item.id) ? refused('on_hold') : null),
  }
}
