import type { ItemEvent } from '../../src/checkpoint/events.js'
import { type Item, nameOf, type Outcome, type PriorCalls } from '../../src/item.js'

/** Events as a run makes them. */

export const sent = (item: Item, at: string, isRead = false): ItemEvent => ({
  event: isRead ? 'check-sent' : 'call-sent',
  ordinal: item.ordinal,
  id: nameOf(item),
  at,
})

export const returned = (
  { ordinal }: Item,
  at: string,
  { reason, httpStatus }: Pick<Outcome, 'reason' | 'httpStatus'>,
  isRead = false,
): ItemEvent => ({
  event: 'call-returned',
  ordinal,
  reason,
  httpStatus,
  at,
  ...(isRead ? { isRead } : {}),
})

export const carried = (item: Item, { calls, isAnswerLost }: PriorCalls): ItemEvent => ({
  event: 'calls-carried',
  ordinal: item.ordinal,
  id: nameOf(item),
  calls,
  isAnswerLost,
})
