import type { Outcome } from '../item.js'
import type { ApiAnswer, Attempt, Filter, Operation, Verdict } from '../job.js'
import type { Clock } from '../system/clock.js'
import { momentMs } from '../system/moment.js'
import { settledBy, unusable, verdictOf } from './answer.js'

type Answer = Extract<ApiAnswer, { kind: 'answer' }>

/** Two calls for one conversation lie at least so far apart: Ada asks for one request a second to a resource. */
const apartMs = 1000

/** A call that waits longer than this for its permit (a rate limit, an outage, --hours) is preceded by another question. */
const freshMs = 60_000

/**
 * Wraps an operation to ask for the conversation (`GET /api/v2/conversations/{id}/`) where an earlier answer was lost,
 * or a success does not say so; with `isAlways` before every call. Settles the item by that if it is ended already, or
 * if the customer came back since the input was made, by the same `filters` that chose it. `pace` makes the question
 * wait for a permit, as the operation does.
 */
export function checkingFirst(
  operation: Operation,
  isAlways: boolean,
  filters: readonly Filter[],
  pace: (question: Operation) => Operation,
  clock: Clock,
): Operation {
  const hasDoneStatus = operation.doneStatus !== undefined
  if (!isAlways && !hasDoneStatus) return operation
  return {
    ...operation,
    async attempt(item, api, attempt) {
      const isInDoubt = attempt.isAfterLostAnswer
      if (!isAlways && !isInDoubt) return confirmed(await operation.attempt(item, api, attempt), 1)
      for (let asked = 1; ; asked++) {
        const verdict = await ask(asked - 1, isInDoubt, isAlways ? filters : [])
        if (verdict !== null) return nothingDone(verdict, isInDoubt)
        await clock.sleep(apartMs, attempt.stopSignal)
        const done = await whileFresh(clock, attempt.stopSignal, (stopSignal) =>
          operation.attempt(item, api, { ...after(asked), stopSignal }),
        )
        if (done !== null) return confirmed(done, asked + 1)
      }

      /** As a retry a call goes first: the last answer is getting old. */
      function after(calls: number): Attempt {
        return { ...attempt, earlierCalls: attempt.earlierCalls + calls }
      }

      /** Null when the conversation may be called. */
      async function ask(calls: number, isDoubted: boolean, by: readonly Filter[]): Promise<Verdict | null> {
        let mayGoOn = false
        const question = pace({
          ...operation,
          isRead: true,
          async attempt() {
            const path = `/api/v2/conversations/${encodeURIComponent(item.id)}/`
            const answer = await api.call({ method: 'GET', path, signal: attempt.abortSignal })
            const verdict = judgedByLooking(answer, by, isDoubted)
            mayGoOn = verdict === null
            return verdict ?? settledBy(answer as Answer, { status: 'succeeded', reason: 'found' })
          },
        })
        const verdict = await question.attempt(item, api, after(calls))
        return mayGoOn ? null : verdict
      }

      /** A success that does not say so is looked at: an active conversation shows that nothing was done. */
      async function confirmed(verdict: Verdict, calls: number): Promise<Verdict> {
        if (verdict.kind !== 'again' || verdict.cause !== 'unconfirmed' || !hasDoneStatus) return verdict
        await clock.sleep(apartMs, attempt.stopSignal)
        const seen = await ask(calls, true, [])
        if (seen === null) {
          const outcome = { ...verdict.outcome, status: 'failed', reason: 'server_error' } as const
          return { ...verdict, cause: 'answered', outcome }
        }
        const judged = nothingDone(seen, true)
        return judged.kind === 'settled' || judged.kind === 'refused' ? judged : verdict
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
  const confirmed = verdictOf(answer, 'found')
  const { status, updated_at } = (answer.body ?? {}) as { status?: unknown; updated_at?: unknown }
  if (confirmed.kind !== 'settled' || typeof status !== 'string')
    return unusable(answer, confirmed.outcome.message || 'an answer without a conversation')
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
 * it says nothing about an earlier call whose answer was lost. Nor does a refusal to answer it.
 */
function nothingDone(verdict: Verdict, isInDoubt: boolean): Verdict {
  const { outcome, quota } = verdict
  const isNoAnswer = isInDoubt && verdict.kind === 'settled' && isRefusal(outcome)
  if (verdict.kind !== 'again' && !isNoAnswer) return { ...verdict, isRead: true }
  const failed =
    outcome.status === 'unknown'
      ? ({
          ...outcome,
          status: 'failed',
          reason: outcome.httpStatus === null ? 'network_error' : 'server_error',
        } as const)
      : outcome
  const isProbe = verdict.kind === 'again' && verdict.isProbe === true
  return { kind: 'again', cause: 'unreachable', quota, outcome: failed, isProbe, isRead: true }
}

function isRefusal({ status, reason }: Outcome): boolean {
  return status === 'failed' && reason !== 'not_found'
}
