import type { Operation } from '../job.js'
import { settledBy, verdictOf } from './answer.js'
import { conversationLimits } from './limits.js'

/**
 * Gives a conversation back from a person to the AI agent: `POST /api/v2/conversations/{id}/end-handoff/`. The
 * conversation stays open. A 422 says that no person had it.
 */
export const endHandoff: Operation = {
  name: 'end-handoff',
  verb: 'end the handoff of',
  noun: 'conversation',
  limits: conversationLimits,
  async attempt(item, api, attempt) {
    const path = `/api/v2/conversations/${encodeURIComponent(item.id)}/end-handoff/`
    const answer = await api.call({ method: 'POST', path, signal: attempt.abortSignal })
    if (answer.kind === 'answer' && answer.status === 422) {
      const reason = attempt.isAfterLostAnswer ? 'handoff_ended_on_retry' : 'not_in_handoff'
      return settledBy(answer, { status: 'succeeded', reason })
    }
    return verdictOf(answer, 'handoff_ended')
  },
}
