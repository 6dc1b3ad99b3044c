import { type HttpHandler, http } from 'msw'
import {
  type Answer,
  dropped,
  json,
  notFound,
  redirect,
  refusal,
  serverError,
  unavailable,
} from './answers.js'
import type { Conversations } from './conversations.js'
import type { Before, Call } from './door.js'
import { endUserIdOf, naiveDate } from './export-records.js'
import type { ListedConversation } from './population.js'
import { at } from './route.js'

const conversation = '/api/v2/conversations/:id/'
const end = `${conversation}end/`
const endHandoff = `${conversation}end-handoff/`

const longestId = 200

const unlistedAtMs = Date.UTC(2026, 8, 24, 8, 15)
const unlisted = {
  createdAtMs: unlistedAtMs,
  updatedAtMs: unlistedAtMs,
  fields: {} as ListedConversation['fields'],
}

/** The order matters for speed: msw tries one handler after the other, and nearly all calls are for the first. */
export function conversationHandlers(before: Before, conversations: Conversations): HttpHandler[] {
  const forId = (act: (id: string, conversations: Conversations, nowMs: number) => Answer) =>
    before(
      ({ params }, nowMs) => refusalOf(params.id!, conversations) ?? act(params.id!, conversations, nowMs),
    )
  return [
    http.post(at(end), forId(endOne)),
    http.get(at(conversation), forId(describe)),
    http.post(at(endHandoff), forId(endHandoffOfOne)),
    ...[end, conversation, endHandoff].flatMap((path) => [
      http.all(at(path), before(refuseMethod)),
      http.all(at(path.slice(0, -1)), before(redirectToSlash)),
    ]),
  ]
}

function refusalOf(id: string, conversations: Conversations): Answer | null {
  if (id.length > longestId) {
    const message = `must have at most ${longestId} characters`
    const details = [{ parameter: 'conversation_id', location: 'path', message }]
    return refusal(400, 'validation_error', 'Invalid conversation_id', details)
  }
  const failure = conversations.failure(id)
  if (failure) return failure === 'broken' ? serverError() : unavailable()
  return conversations.exists(id) ? null : notFound(`Conversation ${id} was not found`)
}

function endOne(id: string, conversations: Conversations, nowMs: number): Answer {
  const result = conversations.end(id, nowMs)
  switch (result) {
    case 'ended':
      return json(200, { message: 'Conversation ended successfully.' })
    case 'ended_but_answer_lost':
      return dropped
    case 'already_ended':
      return refusal(400, 'validation_error', 'Conversation is expired')
    case 'not_endable':
      return refusal(422, 'validation_error', 'Voice conversations cannot be ended')
  }
}

function endHandoffOfOne(id: string, conversations: Conversations): Answer {
  return conversations.endHandoff(id)
    ? json(200, { message: 'Handoff ended successfully.' })
    : refusal(422, 'validation_error', 'No handoff is active')
}

/** Made up from the ID where it was not added, so that a million conversations need no memory. */
function describe(id: string, conversations: Conversations): Answer {
  const { createdAtMs, updatedAtMs, fields } = conversations.listed.get(id) ?? unlisted
  return json(200, {
    id,
    channel_id: conversations.isVoice(id) ? '5f3c09a1d2e84b6790ab0002' : '5f3c09a1d2e84b6790ab0001',
    end_user_id: fields.end_user_id ?? endUserIdOf(id),
    status: conversations.isEnded(id) ? 'ended' : 'active',
    created_at: `${naiveDate(createdAtMs)}+00:00`,
    updated_at: `${naiveDate(updatedAtMs)}+00:00`,
    metadata: {},
  })
}

function refuseMethod({ request }: Call): Answer {
  return refusal(405, 'method_not_allowed', `Method ${request.method} is not allowed here`)
}

/** A client that follows this turns its POST into a GET, and ends nothing. */
function redirectToSlash({ request }: Call): Answer {
  const { pathname, search } = new URL(request.url)
  return redirect(`${pathname}/${search}`)
}
