import type { ApiAnswer, Filter, Operation, Verdict } from '../job.js'
import type { Clock } from '../system/clock.js'
import { momentMs } from '../system/moment.js'
import { settledBy, unusable, verdictOf } from './answer.js'

/** Two calls for one conversation lie at least so far apart: Ada asks for one request a second to a resource. */
const apartMs = 1000

/** A call that waits longer than this for its permit (a rate limit, an outage, --hours) is preceded by another question. */
const freshMs = 60_000

/**
 * Wraps an operation to ask for the conversation first: `GET /api/v2/conversations/{id}/`. Settles the item by that if
 * it is ended already, or if the customer came back since the input was made, by the same rules that chose it. `pace`
 * makes the question wait for a permit, as the operation does.
 */
export function checkingFirst(
  operation: Operation,
  filters: readonly Filter[],
  pace: (question: Operation) => Operation,
  clock: Clock,
): Operation {
  return {
    ...operation,
    async attempt(item, api, attempt) {
      for (let asked = 1; ; asked++) {
        // As a retry it goes first: the last answer is getting old.
        const next = { ...attempt, earlierCalls: attempt.earlierCalls + asked }
        let mayGoOn = false
        const question = pace({
          ...operation,
          isRead: true,
          async attempt() {
            const path = `/api/v2/conversations/${encodeURIComponent(item.id)}/`
            const answer = await api.call({ method: 'GET', path, signal: attempt.abortSignal })
            const verdict = judgedByLooking(answer, filters, attempt.isAfterLostAnswer)
            mayGoOn = verdict === null
            return verdict ?? verdictOf(answer, 'found')
          },
        })
        const verdict = await question.attempt(item, api, asked === 1 ? attempt : next)
        if (!mayGoOn) return nothingDone(verdict)
        await clock.sleep(apartMs, attempt.stopSignal)
        const done = await whileFresh(clock, attempt.stopSignal, (stopSignal) =>
          operation.attempt(item, api, { ...next, stopSignal }),
        )
        if (done !== null) return done
      }
    },
  }
}

/** Null when the call did not leave in time. */
async function whileFresh(
  clock: Clock,
  stopSignal: AbortSignal,
  call: (stopSignal: AbortSignal) => Promise<Verdict>,
): Promise<Verdict | null> {
  const tooLate = new AbortController()
  const isOver = new AbortController()
  const stop = () => tooLate.abort(stopSignal.reason)
  stopSignal.addEventListener('abort', stop, { once: true })
  if (stopSignal.aborted) stop()
  clock.sleep(freshMs, isOver.signal).then(
    () => tooLate.abort(notFresh),
    () => {},
  )
  try {
    return await call(tooLate.signal)
  } catch (error) {
    if (error !== notFresh) throw error
    return null
  } finally {
    isOver.abort()
    stopSignal.removeEventListener('abort', stop)
  }
}

const notFresh = new Error('The question was asked too long ago')

/** Null when the conversation may be called. */
function judgedByLooking(
  answer: ApiAnswer,
  filters: readonly Filter[],
  isAfterLostAnswer: boolean,
): Verdict | null {
  if (answer.kind !== 'answer' || answer.status !== 200) return verdictOf(answer, 'found')
  if (typeof answer.body !== 'object' || answer.body === null)
    return unusable(answer, 'an answer without a conversation')
  const { status, updated_at } = answer.body as { status?: unknown; updated_at?: unknown }
  if (status === 'ended') {
    const reason = isAfterLostAnswer ? 'ended_on_retry' : 'already_ended'
    return settledBy(answer, { status: 'succeeded', reason })
  }
  const updatedMs = momentMs(updated_at)
  const again = filters.flatMap(({ judgeAgain }) => judgeAgain ?? [])
  if (again.length > 0 && updatedMs === null)
    return unusable(answer, 'the answer does not say when it was touched last')
  const refusal = again.map((judge) => judge(updatedMs!)).find((found) => found !== null)
  if (refusal === undefined) return null
  return settledBy(answer, { status: 'filtered', reason: 'active_again', message: refusal.message })
}

/**
 * A question that came to nothing has changed nothing: it failed, and that is known. Like a call that never got there,
 * it says nothing about an earlier call whose answer was lost.
 */
function nothingDone(verdict: Verdict): Verdict {
  if (verdict.kind !== 'again') return { ...verdict, isRead: true }
  const outcome =
    verdict.cause === 'lost'
      ? ({ ...verdict.outcome, status: 'failed', reason: 'network_error' } as const)
      : verdict.outcome
  return { ...verdict, cause: 'unreachable', outcome, isRead: true }
}
