import type { Item } from '../item.js'
import type { Filter } from '../job.js'
import type { IdSet } from '../sources/id-set.js'
import { refused } from './refusal.js'

/** Turns away every ID on a hold list. It goes before all other filters. */
export function notOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge: (item) => (held.has(item.id) ? refused('on_hold') : null),
  }
}

/** The column of a list of end users that names the conversations for which they are on it, as a JSON array. */
export const conversationsColumn = 'conversation_ids'

/**
 * The same where end users are at stake, who are known by more than one name: whatever its case, by their
 * conversations and by the end user of a conversation. One is enough. The list holds lower-case names.
 */
export function nobodyOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge(item) {
      const name = namesOf(item).find((one) => held.has(one.toLowerCase()))
      return name === undefined ? null : refused('on_hold', name === item.id ? '' : 'by another name')
    },
  }
}

function namesOf(item: Item): string[] {
  const { end_user_id: endUser, [conversationsColumn]: conversations } = item.record()
  return [
    item.id,
    ...(typeof endUser === 'string' ? [endUser] : []),
    ...(typeof conversations === 'string' ? listed(conversations) : []),
  ]
}

/** What somebody else has written there names nobody. */
function listed(text: string): string[] {
  try {
    const names: unknown = JSON.parse(text)
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}
