import { createHash } from 'node:crypto'
import { hexDigits, type Prng, prngOf } from './prng.js'

export interface NewConversation {
  id: string
  createdAtMs: number
  /** Default: the moment of its creation. */
  updatedAtMs?: number
  /** Was ended before it was added. */
  isEnded?: boolean
  /** A person has taken it over. */
  isHandedOff?: boolean
  /** Replace what is made up for its record, such as `{ language: 'fr' }`; undefined leaves a field out. */
  fields?: Readonly<Record<string, unknown>>
}

/** A conversation that the export knows. What else its record says is made up from its ID. */
export interface ListedConversation {
  readonly id: string
  readonly createdAtMs: number
  updatedAtMs: number
  /** When its messages were written, the first by the end user. */
  readonly messagesAtMs: number[]
  fields: Readonly<Record<string, unknown>>
}

/** A moment, and the ID that decides between things of the same moment. */
export interface Position {
  atMs: number
  id: string
}

/** A conversation or a message, where it comes in the export. */
export interface Entry extends Position {
  readonly conversation: ListedConversation
  /** The message's number in its conversation, from 0. */
  readonly nth: number
}

export type Order = 'created' | 'updated' | 'messages'

export function compare(one: Position, other: Position): number {
  return one.atMs - other.atMs || (one.id < other.id ? -1 : one.id > other.id ? 1 : 0)
}

/** The conversations that come out of the export, with their messages. */
export class Population {
  readonly #byId = new Map<string, ListedConversation>()
  /** Made when they are asked for: most never are, and they take memory. */
  #orders: Partial<Record<Order, Entry[]>> = {}

  get(id: string): ListedConversation | undefined {
    return this.#byId.get(id)
  }

  add(conversation: ListedConversation): void {
    const { id } = conversation
    if (this.#byId.has(id)) throw new Error(`Conversation ${id} is listed already`)
    this.#byId.set(id, conversation)
    this.#orders = {}
  }

  update(conversation: ListedConversation, atMs: number): void {
    conversation.updatedAtMs = atMs
    this.#orders = {}
  }

  inOrder(order: Order): readonly Entry[] {
    this.#orders[order] ??= [...this.#entries(order)].sort(compare)
    return this.#orders[order]
  }

  *#entries(order: Order): Generator<Entry> {
    for (const conversation of this.#byId.values()) {
      const { id, createdAtMs, updatedAtMs, messagesAtMs } = conversation
      if (order === 'created') yield { atMs: createdAtMs, id, conversation, nth: 0 }
      else if (order === 'updated') yield { atMs: updatedAtMs, id, conversation, nth: 0 }
      else
        for (const [nth, atMs] of messagesAtMs.entries())
          yield { atMs, id: `${id}-${nth}`, conversation, nth }
    }
  }
}

const dayMs = 86_400_000

/** Spread evenly over 120 days. Most last hours and some weeks; many are ended, which the export does not say. */
export function* inventedConversations(
  count: number,
  nowMs: number,
  seed: number | string,
): Generator<NewConversation> {
  const spanMs = 120 * dayMs
  for (let index = 0; index < count; index += 1) {
    const random = prngOf(`${seed} conversation ${index}`)
    const createdAtMs = Math.floor(nowMs - spanMs + ((index + random()) / count) * spanMs)
    const lastedMs = Math.floor(random() ** 8 * 45 * dayMs)
    const isEscalated = random() < 0.12
    const isEnded = random() < 0.4
    // Some end users come back again and again.
    const isRegular = random() < 0.3
    const regular = endUserIdOf(`${seed} regular ${Math.floor((random() * count) / 10)}`)
    yield {
      // Ada's IDs begin with the second of their creation.
      id: Math.floor(createdAtMs / 1_000).toString(16) + hexDigits(random, 16),
      createdAtMs,
      updatedAtMs: Math.min(createdAtMs + lastedMs, nowMs),
      isEnded,
      isHandedOff: isEscalated && !isEnded && random() < 0.5,
      fields: { is_escalated: isEscalated, ...(isRegular ? { end_user_id: regular } : {}) },
    }
  }
}

/** All that a record says beyond its dates is made up from the ID of its conversation, so it is always the same. */
export function conversationRecord({ conversation }: Entry): object {
  const { id, createdAtMs, updatedAtMs, messagesAtMs, fields } = conversation
  const random = prngOf(id)
  const updated = naiveDate(updatedAtMs)
  const agents = fields.is_escalated === true ? [prngOf(`agent of ${id}`)] : []
  const firstName = oneOf(firstNames, random)
  const topic = oneOf(topics, random)
  const isResolved = random() < 0.7
  return {
    _id: id,
    agent_id: agents.map((agent) => hexDigits(agent, 24)),
    agent_name: agents.map((agent) => oneOf(firstNames, agent)),
    agent_handle_time: agents.length * 240,
    automated_resolution_classification: isResolved ? 'Resolved' : 'Not Resolved',
    automated_resolution_classification_reason: `The inquiry was ${isResolved ? 'answered' : 'left open'}.`,
    bot_handle_time: Math.round(random() * 3_000) / 10,
    browser: oneOf(['chrome', 'safari', 'firefox', 'edge'], random),
    browser_version: `${100 + Math.floor(random() * 45)}.0.0`,
    chatter_id: chatterIdOf(id),
    classifications: [],
    csat: random() < 0.2 ? { score: 1 + Math.floor(random() * 5), survey_type: 'end_chat' } : {},
    date_created: naiveDate(createdAtMs),
    date_updated: updated,
    device: oneOf(['iphone', 'android', 'windows', 'macos'], random),
    end_user_id: endUserIdOf(id),
    generated_topic_label: topic,
    inquiry_summary: `The end user asks about: ${topic.toLowerCase()}.`,
    is_engaged: random() < 0.85,
    is_escalated: false,
    is_test_user: random() < 0.02,
    language: oneOf(languages, random),
    metavariables: {
      first_name: firstName,
      email: `${firstName.toLowerCase()}.${id.slice(-6)}@example.com`,
      last_message_at: naiveDate(messagesAtMs.at(-1)!),
    },
    platform: oneOf(platforms, random),
    record_last_updated: updated,
    used_articles: [],
    used_coaching: [],
    used_playbooks: [],
    variables: { plan: oneOf(['basic', 'plus', 'business'], random) },
    ...fields,
  }
}

export function messageRecord({ id, atMs, nth, conversation }: Entry): object {
  const isAnswer = nth === 1
  return {
    _id: id,
    answer_id: null,
    answer_title: null,
    chatter_id: chatterIdOf(conversation.id),
    conversation_id: conversation.id,
    date_created: naiveDate(atMs),
    link_was_clicked: null,
    message_data: { type: 'text', body: isAnswer ? 'How can I help you?' : 'Hello, is anybody there?' },
    recipient: isAnswer ? 'chatter' : 'ada',
    record_last_updated: naiveDate(atMs),
    sender: isAnswer ? 'ada' : 'chatter',
  }
}

export function endUserIdOf(id: string): string {
  return createHash('sha256').update(id).digest('hex').slice(0, 24)
}

/** UTC, though it does not say so: `2026-08-01T12:34:56.789000`. */
export function naiveDate(atMs: number): string {
  return `${new Date(atMs).toISOString().slice(0, -1)}000`
}

function chatterIdOf(id: string): string {
  return hexDigits(prngOf(`chatter of ${id}`), 24)
}

function oneOf<T>(things: readonly T[], random: Prng): T {
  return things[Math.floor(random() * things.length)]!
}

const firstNames = ['Amina', 'Bruno', 'Chloe', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo']
const topics = ['Late delivery', 'Refund', 'Password reset', 'Change of address', 'Invoice']
const languages = ['en', 'en', 'en', 'fr', 'fr', 'de', 'es']
const platforms = ['chat', 'chat', 'ios', 'android', 'email', 'whatsapp']
