import type { ApiAnswer } from '../api/api.js'
import { settledBy, type Verdict, verdictOf } from '../api/verdict.js'
import type { Clock } from '../clock.js'
import type { Filter, Refusal } from '../filters/filter.js'
import { momentMs } from '../filters/moment.js'
import type { Operation } from './operation.js'

/** Two calls for one conversation lie at least so far apart: Ada asks for one request a second to a resource. */
const apartMs = 1000

/**
 * The operation, asking for the conversation first: `GET /api/v2/conversations/{id}/`. Settles the item by that if it
 * is ended already, or if the customer came back since the input was made, by the same rules that chose it. `paced`
 * makes the question wait for its turn, as the operation does.
 */
export function checkingFirst(
  operation: Operation,
  filters: readonly Filter[],
  paced: (question: Operation) => Operation,
  clock: Clock,
): Operation {
  return {
    ...operation,
    async attempt(item, api, attempt) {
      let mayGoOn = false
      const question = paced({
        ...operation,
        isRead: true,
        async attempt() {
          const path = `/api/v2/conversations/${encodeURIComponent(item.id)}/`
          const answer = await api.call({ method: 'GET', path, signal: attempt.abortSignal })
          const settled = settledByLooking(answer, filters, attempt.isAfterLostAnswer)
          mayGoOn = settled === null && answer.kind === 'answer' && answer.status === 200
          return settled ?? verdictOf(answer, 'found')
        },
      })
      const verdict = await question.attempt(item, api, attempt)
      if (!mayGoOn) return verdict.kind === 'settled' ? verdict : nothingDone(verdict)
      await clock.sleep(apartMs, attempt.stopSignal)
      return operation.attempt(item, api, attempt)
    },
  }
}

function settledByLooking(
  answer: ApiAnswer,
  filters: readonly Filter[],
  isAfterLostAnswer: boolean,
): Verdict | null {
  if (answer.kind !== 'answer' || answer.status !== 200) return null
  const { status, updated_at } = (answer.body ?? {}) as { status?: unknown; updated_at?: unknown }
  if (status === 'ended') {
    return settledBy(answer, {
      status: 'succeeded',
      reason: isAfterLostAnswer ? 'ended_on_retry' : 'already_ended',
    })
  }
  const refusal = refusalNow(momentMs(updated_at), filters)
  return (
    refusal && settledBy(answer, { status: 'filtered', reason: 'active_again', message: refusal.message })
  )
}

function refusalNow(updatedMs: number | null, filters: readonly Filter[]): Refusal | null {
  if (updatedMs === null) return null
  return (
    filters.map((filter) => filter.judgeAgain?.(updatedMs) ?? null).find((refusal) => refusal !== null) ??
    null
  )
}

/** A question without an answer has done nothing to the conversation: it failed, and that is known. */
function nothingDone(verdict: Exclude<Verdict, { kind: 'settled' }>): Verdict {
  if (verdict.kind !== 'again' || verdict.cause !== 'lost') return { ...verdict, isRead: true }
  const outcome = { ...verdict.outcome, status: 'failed', reason: 'network_error' } as const
  return { ...verdict, cause: 'unreachable', outcome, isRead: true }
}
