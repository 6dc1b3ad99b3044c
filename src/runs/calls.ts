import { type HttpApi, openHttpApi } from '../operations/http.js'
import type { Ledger } from '../pacing/ledger.js'
import { type Limiter, openLimiter } from '../pacing/limiter.js'
import type { RunSettings } from '../settings/run-settings.js'
import type { Clock } from '../system/clock.js'
import { version } from '../system/version.js'

/** What calls to an instance are made with. */
export interface CallOptions {
  origin: string
  key: string
  settings: Pick<RunSettings, 'limits' | 'share' | 'hours' | 'concurrency' | 'timeoutMs' | 'maxOutageMs'>
  ledger: Ledger
  clock: Clock
  random: () => number
}

export interface Calls {
  api: HttpApi
  limiter: Limiter
  /** Lets the calls in flight come to their end first. */
  close(): Promise<void>
}

/** A place may be a tenth of its hold old when the call leaves, and its end has to be seen and written down. */
const holdMsOf = (timeoutMs: number) => Math.ceil((timeoutMs + 1000) / 0.9)

/** Opens the HTTP client and the limiter that its calls wait for. The ledger stays the caller's. */
export async function openCalls(options: CallOptions): Promise<Calls> {
  const { origin, key, ledger, clock, random } = options
  const { timeoutMs, concurrency, hours, limits, share, maxOutageMs } = options.settings
  const api = await openHttpApi({
    origin,
    key,
    timeoutMs,
    connections: concurrency,
    userAgent: `ada-bulk/${version}`,
  })
  const limiter = openLimiter({
    ledger,
    windows: limits,
    share,
    concurrency,
    holdMs: holdMsOf(timeoutMs),
    outageMaxMs: maxOutageMs,
    clock,
    random,
    ...(hours === null ? {} : { hours }),
  })
  return {
    api,
    limiter,
    async close() {
      await limiter.close()
      await api.close()
    },
  }
}
