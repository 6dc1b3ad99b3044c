import { afterEach, beforeEach, vi } from 'vitest'
import type { Verdict } from '../../src/job.js'
import { type LimiterOptions, openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { noQuota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

const outcome = {
  status: 'failed',
  reason: 'server_error',
  httpStatus: 500,
  message: 'out of order',
} as const
export const settled: Verdict = {
  kind: 'settled',
  quota: noQuota,
  outcome: { status: 'succeeded', reason: 'ended', httpStatus: 200, message: '' },
}
export const failure: Verdict = { kind: 'again', cause: 'answered', quota: noQuota, outcome }
export const tooMany = (retryAfterMs: number): Verdict => ({
  kind: 'rate_limited',
  quota: { ...noQuota, retryAfterMs },
  outcome,
})

export let clock: FakeClock
beforeEach(() => {
  // Bottleneck starts each job by a timer of its own, which has nothing to do with our clock.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  clock = new FakeClock(async () => {
    for (let round = 0; round < 3; round++) await vi.advanceTimersByTimeAsync(10)
  })
})
afterEach(() => {
  vi.useRealTimers()
})

export function setUp(options: Partial<LimiterOptions> = {}) {
  const ledger = options.ledger ?? openMemoryLedger(clock)
  const limiter = openLimiter({
    ledger,
    windows: [{ max: 3, perMs: 1000 }],
    share: 1,
    concurrency: 8,
    holdMs: 30_000,
    clock,
    random: () => 0.5,
    ...options,
  })
  const startMs = clock.monotonicMs()
  const sentMs: [number | string, number][] = []
  const results: (Verdict | Error)[] = []
  const stop = new AbortController()
  /** Schedules a call that lasts `lastsMs`, and notes when it left. */
  const send = (
    itemKey: number | string,
    { verdict = settled, lastsMs = 0, isRetry = false, signal = stop.signal }: SendOptions = {},
  ) => {
    const result = limiter.schedule({ isRetry, itemKey, signal }, async (permit) => {
      sentMs.push([permit.isProbe ? `probe ${itemKey}` : itemKey, clock.monotonicMs() - startMs])
      await clock.sleep(lastsMs)
      return typeof verdict === 'function' ? verdict() : verdict
    })
    result.then(
      (verdict) => results.push(verdict),
      (error) => results.push(error),
    )
    return result
  }
  return { limiter, ledger, send, sentMs, results, stop }
}

interface SendOptions {
  verdict?: Verdict | (() => Verdict)
  lastsMs?: number
  isRetry?: boolean
  signal?: AbortSignal
}
