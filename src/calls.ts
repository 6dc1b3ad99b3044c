import { type HttpApi, openHttpApi } from './api/http-api.js'
import type { Execution } from './execute.js'
import { checkingFirst } from './operations/check-first.js'
import type { Operation } from './operations/operation.js'
import { type Limiter, openLimiter } from './pacing/limiter.js'
import { paced } from './pacing/paced.js'
import { version } from './version.js'

/** On top of a call's time-out, for its end to be seen and written down. */
const holdMarginMs = 1000

/** What the calls of a run go through: the HTTP client, the limiter, and the operation that waits for its turn. */
export function openCalls(execution: Execution): { api: HttpApi; limiter: Limiter; operation: Operation } {
  const { clock, random } = execution
  const { settings } = execution.run
  const api = openHttpApi({
    origin: execution.origin,
    key: execution.key,
    timeoutMs: settings.timeoutMs,
    connections: settings.concurrency,
    userAgent: `ada-bulk/${version}`,
  })
  const limiter = openLimiter({
    ledger: execution.ledger,
    windows: settings.limits,
    share: settings.share,
    concurrency: settings.concurrency,
    holdMs: settings.timeoutMs + holdMarginMs,
    outageMaxMs: settings.maxOutageMs,
    clock,
    random,
    ...(settings.hours === null ? {} : { hours: settings.hours }),
  })
  const pace = (operation: Operation) => paced(operation, limiter)
  const operation = settings.checkFirst
    ? checkingFirst(pace(execution.operation), execution.input.filters, pace, clock)
    : pace(execution.operation)
  return { api, limiter, operation }
}
