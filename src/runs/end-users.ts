import { settledItems } from '../checkpoint/items.js'
import type { SettledItem } from '../item.js'
import { type Input, readItems } from '../sources/items.js'

/** An end user of whom a run has ended at least one conversation. */
export interface EndUser {
  /** Empty where the record of a conversation names nobody. */
  id: string
  /** Why nothing may be done to the end user all the same; empty when it may. */
  leave: string
  /** The conversations that were ended. */
  conversations: string[]
}

/** What a conversation's outcome means for its end user. */
type Meaning = 'ended' | 'repeated' | 'on_hold' | 'conversation_not_ended' | 'other_conversations'

/** The reasons to leave somebody, the strongest last. */
const reasons: readonly string[] = ['', 'other_conversations', 'conversation_not_ended', 'on_hold']

/**
 * The end users behind what a run has ended. To erase somebody takes every conversation, so whoever has another one in
 * the input that is on hold, could not be ended or was not to be ended is left.
 */
export async function endUsersBehind(checkpoint: string, input: Input): Promise<EndUser[]> {
  const meanings = new Map<number, Meaning>()
  for await (const batch of settledItems(checkpoint)) {
    for (const settled of batch) {
      const meaning = meaningOf(settled)
      if (meaning !== 'ended') meanings.set(settled.ordinal, meaning)
    }
  }
  const endUsers = new Map<string, EndUser>()
  const nobody: EndUser[] = []
  for await (const batch of readItems(input, { isFreeOfDuplicates: true })) {
    for (const { item } of batch) {
      const meaning = meanings.get(item.ordinal) ?? 'ended'
      if (meaning === 'repeated') continue
      const id = textOf(item.record().end_user_id)
      const isEnded = meaning === 'ended'
      if (id === '') {
        if (isEnded) nobody.push({ id, leave: '', conversations: [item.id] })
        continue
      }
      const endUser = endUsers.get(id) ?? { id, leave: '', conversations: [] }
      endUsers.set(id, endUser)
      if (isEnded) endUser.conversations.push(item.id)
      else if (reasons.indexOf(meaning) > reasons.indexOf(endUser.leave)) endUser.leave = meaning
    }
  }
  return [...endUsers.values(), ...nobody].filter(({ conversations }) => conversations.length > 0)
}

function meaningOf({ status, reason }: SettledItem): Meaning {
  switch (status) {
    case 'succeeded':
      return 'ended'
    case 'duplicate':
      return 'repeated'
    case 'filtered':
      return reason === 'on_hold' ? 'on_hold' : 'other_conversations'
    default:
      return 'conversation_not_ended'
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : ''
}
