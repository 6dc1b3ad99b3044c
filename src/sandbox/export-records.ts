import { createHash } from 'node:crypto'
import { type Chance, chanceOf, hexDigits } from './chance.js'
import type { ListedConversation, ListedMessage } from './population.js'

export type ExportRecord = Readonly<Record<string, unknown>>

/** All that a record says beyond its dates is made up from the ID of its conversation, so it is always the same. */
export function conversationRecord({
  id,
  createdAtMs,
  updatedAtMs,
  messagesAtMs,
  fields,
}: ListedConversation): ExportRecord {
  const chance = chanceOf(id)
  const updated = naiveDate(updatedAtMs)
  const agents = fields.is_escalated === true ? [chanceOf(`agent of ${id}`)] : []
  const firstName = oneOf(firstNames, chance)
  const topic = oneOf(topics, chance)
  const isResolved = chance() < 0.7
  return {
    _id: id,
    agent_id: agents.map((agent) => hexDigits(agent, 24)),
    agent_name: agents.map((agent) => oneOf(firstNames, agent)),
    agent_handle_time: agents.length * 240,
    automated_resolution_classification: isResolved ? 'Resolved' : 'Not Resolved',
    automated_resolution_classification_reason: isResolved
      ? 'The inquiry was answered.'
      : 'The inquiry was left open.',
    bot_handle_time: Math.round(chance() * 3_000) / 10,
    browser: oneOf(['chrome', 'safari', 'firefox', 'edge'], chance),
    browser_version: `${100 + Math.floor(chance() * 45)}.0.0`,
    chatter_id: chatterIdOf(id),
    classifications: [],
    csat: chance() < 0.2 ? { score: 1 + Math.floor(chance() * 5), survey_type: 'end_chat' } : {},
    date_created: naiveDate(createdAtMs),
    date_updated: updated,
    device: oneOf(['iphone', 'android', 'windows', 'macos'], chance),
    end_user_id: endUserIdOf(id),
    generated_topic_label: topic,
    inquiry_summary: `The end user asks about: ${topic.toLowerCase()}.`,
    is_engaged: chance() < 0.85,
    is_escalated: false,
    is_test_user: chance() < 0.02,
    language: oneOf(languages, chance),
    metavariables: {
      first_name: firstName,
      email: `${firstName.toLowerCase()}.${id.slice(-6)}@example.com`,
      last_message_at: naiveDate(messagesAtMs.at(-1)!),
    },
    platform: oneOf(platforms, chance),
    record_last_updated: updated,
    used_articles: [],
    used_coaching: [],
    used_playbooks: [],
    variables: { plan: oneOf(['basic', 'plus', 'business'], chance) },
    ...fields,
  }
}

export function messageRecord({ id, atMs, nth, conversation }: ListedMessage): ExportRecord {
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
  return hexDigits(chanceOf(`chatter of ${id}`), 24)
}

function oneOf<T>(things: readonly T[], chance: Chance): T {
  return things[Math.floor(chance() * things.length)]!
}

const firstNames = ['Amina', 'Bruno', 'Chloe', 'Dmitri', 'Elif', 'Farid', 'Grace', 'Hugo']
const topics = ['Late delivery', 'Refund', 'Password reset', 'Change of address', 'Invoice']
const languages = ['en', 'en', 'en', 'fr', 'fr', 'de', 'es']
const platforms = ['chat', 'chat', 'ios', 'android', 'email', 'whatsapp']
