import type { Item } from '../item.js'
import type { Filter } from '../job.js'
import { type Fingerprinted, Fingerprinting } from '../sources/fingerprint.js'
import { IdSet } from '../sources/id-set.js'
import { conversationIdNames, idKey, readConversationId } from '../sources/identifier.js'
import { openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { refused } from './refusal.js'

/**
 * The filter of some hold lists, and their fingerprints. `mayErase`: end users are at stake, so a list may name
 * conversations or end users, and either protects. A row without a usable ID would protect nothing: it
 * throws a UsageError.
 */
export async function openHoldLists(
  files: readonly InputFile[],
  ids: IdRules,
  mayErase: boolean,
): Promise<{ filter: Filter | null; fingerprints: Fingerprinted[] }> {
  if (files.length === 0) return { filter: null, fingerprints: [] }
  const held = new IdSet()
  const columns = mayErase
    ? [...(ids.columns ?? []), ...conversationIdNames, 'end_user_id']
    : conversationIdNames
  const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
  const input = await openInput(files, settings, { columns, isFree: ids.isFree ?? false })
  const fingerprinting = new Fingerprinting(files)
  for await (const batch of readItems(input, { onBytes: fingerprinting.onBytes })) {
    for (const { item, outcome } of batch) {
      if (outcome?.status === 'invalid') {
        throw new UsageError(
          `--hold ${item.source}, line ${item.line}: ${outcome.message || outcome.reason}. Mend the hold list first: a row that cannot be read protects nobody.`,
        )
      }
      held.add(idKey(item.id))
    }
  }
  return { filter: mayErase ? noNameOnHold(held) : notOnHold(held), fingerprints: fingerprinting.done() }
}

/** Turns away every ID on a hold list. It goes before all other filters. */
export function notOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge: (item) => (held.has(idKey(readConversationId(item.id).id)) ? refused('on_hold') : null),
  }
}

/** The column of a list of end users that names the conversations for which they are on it, as a JSON array. */
export const conversationsColumn = 'conversation_ids'

/**
 * The same for end users, who have several names: their identifier in any case, their conversations, and the end user
 * of a conversation. One name on the list is enough. The list holds their keys.
 */
export function noNameOnHold(held: Pick<IdSet, 'has'>): Filter {
  return {
    name: 'hold',
    judge(item) {
      const name = namesOf(item).find((one) => held.has(idKey(one)))
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

/** The names in a JSON array; none in a column of that name with other text. */
function listed(text: string): string[] {
  try {
    const names: unknown = JSON.parse(text)
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : []
  } catch {
    return []
  }
}
