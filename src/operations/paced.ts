import type { Outcome } from '../item.js'
import type { Operation, Verdict } from '../job.js'
import type { CallResult } from '../pacing/breaker.js'
import type { Limiter } from '../pacing/limiter.js'

/**
 * The operation, with every attempt waiting for its turn first. `onRefused` is told that the key does not work before
 * the next call can leave.
 */
export function paced(
  operation: Operation,
  limiter: Limiter,
  onRefused: (outcome: Outcome) => void = () => {},
): Operation {
  return {
    ...operation,
    attempt: (item, api, attempt) =>
      limiter.schedule(
        { isRetry: attempt.earlierCalls > 0, itemKey: item.ordinal, signal: attempt.stopSignal },
        async (isProbe) => {
          attempt.leaves(operation.isRead)
          const verdict = await operation.attempt(item, api, attempt)
          if (verdict.kind === 'refused') onRefused(verdict.outcome)
          return verdict.kind === 'again' ? { ...verdict, isProbe } : verdict
        },
        callResult,
      ),
  }
}

/** What a verdict tells pacing. */
function callResult({ kind, quota, outcome }: Verdict): CallResult {
  if (kind === 'rate_limited') return { kind, quota, message: outcome.message }
  return { kind: kind === 'again' ? 'failure' : 'ok', quota, message: outcome.message }
}
