import { chanceOf, hexDigits } from './chance.js'
import type { NewConversation } from './conversations.js'
import { endUserIdOf } from './export-records.js'

const dayMs = 86_400_000

/** Spread evenly over 120 days. Most last hours and some weeks; many are ended, which the export does not say. */
export function* inventedConversations(
  count: number,
  nowMs: number,
  seed: number | string,
): Generator<NewConversation> {
  const spanMs = 120 * dayMs
  for (let index = 0; index < count; index += 1) {
    const chance = chanceOf(`${seed} conversation ${index}`)
    const createdAtMs = Math.floor(nowMs - spanMs + ((index + chance()) / count) * spanMs)
    const lastedMs = Math.floor(chance() ** 8 * 45 * dayMs)
    const isEscalated = chance() < 0.12
    const isEnded = chance() < 0.4
    // Some end users come back again and again.
    const isRegular = chance() < 0.3
    const regular = endUserIdOf(`${seed} regular ${Math.floor((chance() * count) / 10)}`)
    yield {
      // Their IDs begin with the second of their creation.
      id: Math.floor(createdAtMs / 1_000).toString(16) + hexDigits(chance, 16),
      createdAtMs,
      updatedAtMs: Math.min(createdAtMs + lastedMs, nowMs),
      isEnded,
      isHandedOff: isEscalated && !isEnded && chance() < 0.5,
      fields: { is_escalated: isEscalated, ...(isRegular ? { end_user_id: regular } : {}) },
    }
  }
}
