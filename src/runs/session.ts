import type { Outcome } from '../item.js'
import type { Api, Operation } from '../job.js'
import { type HttpApi, type HttpApiOptions, openHttpApi } from '../operations/http.js'
import { KeyCheck } from '../operations/key-check.js'
import { healthOf, paced } from '../operations/paced.js'
import type { ApiHealth } from '../operations/retry.js'
import type { Ledger } from '../pacing/ledger.js'
import { type Limiter, openLimiter } from '../pacing/limiter.js'
import type { RunSettings } from '../settings/run-settings.js'
import type { Clock } from '../system/clock.js'
import { version } from '../system/host.js'

/** Time, chance and network. */
export interface Surroundings {
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  /** The network; undici's unless a test simulates one. */
  openApi?: (options: HttpApiOptions) => Promise<HttpApi>
}

export type SessionSettings = Pick<
  RunSettings,
  'limits' | 'caps' | 'share' | 'hours' | 'concurrency' | 'timeoutMs' | 'maxOutageMs'
>

/** What calls to an instance are made with, and what makes them wait. */
export interface Session extends AsyncDisposable {
  api: Api
  limiter: Limiter
  health: ApiHealth
  /** Makes every attempt wait for its permit. */
  pace(operation: Operation): Operation
}

/** A slot may be a tenth of its hold old when the call leaves, and its end has to be seen and recorded. */
const holdMsOf = (timeoutMs: number) => Math.ceil((timeoutMs + 1000) / 0.9)

/**
 * Opens the HTTP client and the limiter. Closing waits for the calls in flight, then closes the ledger, too.
 * `onRefused` is called before the next call can leave when the API refuses the key.
 */
export async function openSession(
  origin: string,
  key: string,
  settings: SessionSettings,
  ledger: Ledger,
  { clock, random, openApi = openHttpApi }: Surroundings,
  onRefused: (outcome: Outcome) => void = () => {},
): Promise<Session> {
  const { timeoutMs, concurrency, hours, limits, caps, share, maxOutageMs } = settings
  const userAgent = `ada-bulk/${version}`
  const api = await openApi({ origin, key, timeoutMs, connections: concurrency, userAgent })
  const limiter = openLimiter({
    ledger,
    limits,
    caps,
    share,
    concurrency,
    holdMs: holdMsOf(timeoutMs),
    outageMaxMs: maxOutageMs,
    clock,
    random,
    ...(hours === null ? {} : { hours }),
  })
  const keyCheck = new KeyCheck(onRefused)
  return {
    api,
    limiter,
    health: healthOf(api, limiter),
    pace: (operation) => paced(operation, limiter, keyCheck),
    async [Symbol.asyncDispose]() {
      await limiter.close()
      await api.close()
      await ledger.close()
    },
  }
}
