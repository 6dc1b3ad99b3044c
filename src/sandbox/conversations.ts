import { type HttpHandler, http } from 'msw'
import { readConversationId } from '../sources/identifier.js'
import {
  type Act,
  type Answer,
  at,
  dropped,
  type Guard,
  invalid,
  json,
  notFound,
  refusal,
  refuseMethod,
  serverError,
  unavailable,
} from './middleware.js'
import { endUserIdOf, type NewConversation, naiveDate, Population } from './population.js'

type Special = 'missing' | 'ended' | 'unavailable twice' | 'answer lost' | 'voice' | 'broken' | 'handed off'

/**
 * Every other ID is an active chat. All but the last are also in samples/conversations.csv, and the last digits recall
 * the status codes.
 */
const specials: Readonly<Record<string, Special>> = {
  '66f2a91c4be07d3f5c1e0404': 'missing',
  '66f2a91c4be07d3f5c1e0400': 'ended',
  '66f2a91c4be07d3f5c1e0503': 'unavailable twice',
  '66f2a91c4be07d3f5c1e0000': 'answer lost',
  '66f2a91c4be07d3f5c1e0422': 'voice',
  '66f2a91c4be07d3f5c1e0500': 'broken',
  '66f2a91c4be07d3f5c1e0200': 'handed off',
}

const longestId = 200
const unlistedAtMs = Date.UTC(2026, 8, 24, 8, 15)

/** The conversations of the sandbox. Any ID exists, so a run over a million IDs needs no preparation. */
export class Conversations {
  /** Ends of conversations and of handoffs so far. */
  changes = 0
  /** What the export knows of: those that were added. */
  readonly listed = new Population()
  readonly #ended = new Set(idsThatAre('ended'))
  readonly #handedOff = new Set(idsThatAre('handed off'))
  #refusalsLeft = 2
  readonly #endingUpdates: boolean

  constructor(endingUpdates: boolean) {
    this.#endingUpdates = endingUpdates
  }

  add(conversation: NewConversation): void {
    const { id, createdAtMs, updatedAtMs = createdAtMs, fields = {} } = conversation
    this.listed.add({ id, createdAtMs, updatedAtMs, messagesAtMs: [createdAtMs, updatedAtMs], fields })
    if (conversation.isEnded) this.#ended.add(id)
    if (conversation.isHandedOff) this.handOff(id)
  }

  /** A customer comes back to an active conversation that was added. */
  touch(id: string, atMs: number): void {
    const conversation = this.listed.get(id)
    if (!conversation) throw new Error(`Conversation ${id} was not added`)
    if (this.isEnded(id)) throw new Error(`Conversation ${id} is ended: a new message opens a new one`)
    conversation.messagesAtMs.push(atMs)
    this.listed.update(conversation, atMs)
  }

  /** Lets a person take the conversation over. */
  handOff(id: string): void {
    this.#handedOff.add(id)
    const conversation = this.listed.get(id)
    if (conversation) conversation.fields = { ...conversation.fields, is_escalated: true }
  }

  isEnded(id: string): boolean {
    return this.#ended.has(id)
  }

  specialOf(id: string): Special | undefined {
    return specials[id]
  }

  /** Why any call for this ID fails now; null when it does not. Counts as one call. */
  refusalOf(id: string): Answer | null {
    if (id.length > longestId) {
      const message = `must have at most ${longestId} characters`
      return invalid('Invalid conversation_id', [{ parameter: 'conversation_id', location: 'path', message }])
    }
    const read = readConversationId(id)
    if (read.id !== id || read.problem !== null) return notFound(`Conversation ${id} was not found`)
    switch (this.specialOf(id)) {
      case 'broken':
        return serverError()
      case 'unavailable twice':
        return this.#refusalsLeft-- > 0 ? unavailable() : null
      case 'missing':
        return notFound(`Conversation ${id} was not found`)
      default:
        return null
    }
  }

  end(id: string, nowMs: number): Answer {
    if (this.specialOf(id) === 'voice')
      return refusal(422, 'validation_error', 'Voice conversations cannot be ended')
    if (this.#ended.has(id)) return invalid('Conversation is expired')
    this.changes += 1
    this.#ended.add(id)
    this.#handedOff.delete(id)
    const conversation = this.listed.get(id)
    if (conversation && this.#endingUpdates) this.listed.update(conversation, nowMs)
    return this.specialOf(id) === 'answer lost'
      ? dropped
      : json(200, { message: 'Conversation ended successfully.' })
  }

  endHandoff(id: string): Answer {
    if (!this.#handedOff.delete(id)) return refusal(422, 'validation_error', 'No handoff is active')
    this.changes += 1
    return json(200, { message: 'Handoff ended successfully.' })
  }

  /** Made up from the ID where it was not added, so that a million conversations need no memory. */
  describe(id: string): Answer {
    const listed = this.listed.get(id)
    return json(200, {
      id,
      channel_id: this.specialOf(id) === 'voice' ? '5f3c09a1d2e84b6790ab0002' : '5f3c09a1d2e84b6790ab0001',
      end_user_id: listed?.fields.end_user_id ?? endUserIdOf(id),
      status: this.isEnded(id) ? 'ended' : 'active',
      created_at: `${naiveDate(listed?.createdAtMs ?? unlistedAtMs)}+00:00`,
      updated_at: `${naiveDate(listed?.updatedAtMs ?? unlistedAtMs)}+00:00`,
      metadata: {},
    })
  }
}

function idsThatAre(special: Special): string[] {
  return Object.keys(specials).filter((id) => specials[id] === special)
}

const conversation = '/api/v2/conversations/:id/'
const end = `${conversation}end/`
const endHandoff = `${conversation}end-handoff/`

/** The order matters for speed: msw tries one handler after the other, and nearly all calls are for the first. */
export function conversationHandlers(guard: Guard, conversations: Conversations): HttpHandler[] {
  const forId = (act: (id: string, nowMs: number) => Answer) =>
    guard(({ params }, nowMs) => conversations.refusalOf(params.id!) ?? act(params.id!, nowMs))
  return [
    http.post(
      at(end),
      forId((id, nowMs) => conversations.end(id, nowMs)),
    ),
    http.get(
      at(conversation),
      forId((id) => conversations.describe(id)),
    ),
    http.post(
      at(endHandoff),
      forId((id) => conversations.endHandoff(id)),
    ),
    ...[end, conversation, endHandoff].flatMap((path) => [
      http.all(at(path), guard(refuseMethod)),
      http.all(at(path.slice(0, -1)), guard(redirectToSlash)),
    ]),
  ]
}

/** A client that follows this turns its POST into a GET, and ends nothing. */
const redirectToSlash: Act = ({ request }) => {
  const { pathname, search } = new URL(request.url)
  return { status: 301, body: '', headers: { location: `${pathname}/${search}` } }
}
