import type { Operation } from '../job.js'
import { apiMessage, settledBy, verdictOf } from './answer.js'
import { conversationLimits } from './limits.js'

/**
 * The message of a 400 for a conversation that is closed already. Ada documents none; "Conversation is expired" was
 * seen when a message was posted to an ended conversation.
 */
const alreadyEnded = /\bexpired\b|\balready (been )?(ended|closed)\b|\bhas (been )?ended\b/i

/** Ends a conversation: `POST /api/v2/conversations/{id}/end/`. The final slash belongs to it. */
export const endConversation: Operation = {
  name: 'end-conversation',
  verb: 'end',
  noun: 'conversation',
  limits: conversationLimits,
  doneStatus: 'ended',
  async attempt(item, api, attempt) {
    const path = `/api/v2/conversations/${encodeURIComponent(item.id)}/end/`
    const answer = await api.call({ method: 'POST', path, signal: attempt.abortSignal })
    if (answer.kind === 'answer' && answer.status === 400 && alreadyEnded.test(apiMessage(answer.body))) {
      const reason = attempt.isAfterLostAnswer ? 'ended_on_retry' : 'already_ended'
      return settledBy(answer, { status: 'succeeded', reason })
    }
    return verdictOf(answer, 'ended')
  },
}
