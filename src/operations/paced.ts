import type { Api, Operation, Verdict } from '../job.js'
import type { CallResult } from '../pacing/breaker.js'
import type { Limiter } from '../pacing/limiter.js'
import { verdictOf } from './answer.js'
import { harmlessPath, KeyCheck } from './key-check.js'
import type { ApiHealth } from './retry.js'

/** The operation, with every attempt waiting for its turn first. `key` finds out what a refusal is about. */
export function paced(operation: Operation, limiter: Limiter, key = new KeyCheck()): Operation {
  return {
    ...operation,
    attempt: (item, api, attempt) =>
      limiter.schedule(
        { isRetry: attempt.earlierCalls > 0, itemKey: item.ordinal, signal: attempt.stopSignal },
        async (isProbe): Promise<Verdict> => {
          attempt.leaves(operation.isRead)
          const verdict = await operation.attempt(item, api, attempt)
          return verdict.kind === 'again' ? { ...verdict, isProbe } : verdict
        },
        callResult,
        (verdict, send) =>
          key.judged(verdict, () =>
            send(async () => {
              attempt.leaves(true)
              return verdictOf(
                await api.call({ method: 'GET', path: harmlessPath, signal: attempt.abortSignal }),
                'found',
              )
            }),
          ),
      ),
  }
}

/** Tells an outage from a bad item. Calls that ask at the same time share one answer. */
export function healthOf(api: Api, limiter: Limiter): ApiHealth {
  let asking: Promise<boolean> | null = null
  async function ask(stopSignal: AbortSignal, signal: AbortSignal): Promise<boolean> {
    const { kind } = await limiter.schedule(
      { isRetry: true, itemKey: 'probe', signal: stopSignal },
      async () => verdictOf(await api.call({ method: 'GET', path: harmlessPath, signal }), 'found'),
      (verdict) => ({ ...callResult(verdict), isHarmless: true }),
    )
    return kind !== 'again' && kind !== 'rate_limited'
  }
  return {
    answered: limiter.answered,
    isUp: (stopSignal, abortSignal) =>
      (asking ??= ask(stopSignal, abortSignal).finally(() => {
        asking = null
      })),
  }
}

/** What a verdict tells pacing. */
function callResult({ kind, quota, outcome }: Verdict): CallResult {
  if (kind === 'rate_limited') return { kind, quota, message: outcome.message }
  return { kind: kind === 'again' ? 'failure' : 'ok', quota, message: outcome.message }
}
