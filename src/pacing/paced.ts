import type { Operation } from '../operations/operation.js'
import type { Limiter } from './limiter.js'

/** The operation, with every attempt waiting for its turn first. */
export function paced(operation: Operation, limiter: Limiter): Operation {
  return {
    ...operation,
    attempt: (item, api, attempt) =>
      limiter.schedule(
        { isRetry: attempt.earlierCalls > 0, itemKey: item.ordinal, signal: attempt.stopSignal },
        async ({ isProbe }) => {
          attempt.leaves(operation.isRead)
          const verdict = await operation.attempt(item, api, attempt)
          return verdict.kind === 'again' ? { ...verdict, isProbe } : verdict
        },
      ),
  }
}
