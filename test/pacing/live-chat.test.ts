import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { CallResult } from '../../src/pacing/breaker.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { RateWindows, type WindowKind } from '../../src/sandbox/windows.js'
import { noQuota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'
import { seededRandom } from './seeded-random.js'

/** A run beside the chat of a customer's website, on an instance that has 30 calls a second and 300 a minute for both. */

const windows = [
  { max: 30, perMs: 1000 },
  { max: 300, perMs: 60_000 },
]

let clock: FakeClock
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  clock = new FakeClock(async () => {
    for (let round = 0; round < 2; round++) await vi.advanceTimersByTimeAsync(1)
  })
})
afterEach(() => {
  vi.useRealTimers()
})

interface World {
  kind: WindowKind
  share: number
  /** Live calls in a burst, and how far bursts are apart. */
  burst: number
  everyMs: number
  hasHeaders: boolean
  minutes: number
}

/** Simulates it; gives what was rejected and what was accepted, by the minute. */
async function play({ kind, share, burst, everyMs, hasHeaders, minutes }: World) {
  const server = new RateWindows(windows, kind)
  const random = seededRandom(1)
  const startMs = clock.monotonicMs()
  const perMinute = () => Array.from({ length: minutes }, () => 0)
  const counts = {
    ours: perMinute(),
    oursRejected: perMinute(),
    live: perMinute(),
    liveRejected: perMinute(),
  }
  const stop = new AbortController()
  const arrive = (caller: 'ours' | 'live'): CallResult => {
    const nowMs = clock.monotonicMs()
    const judgement = server.judge(nowMs)
    counts[judgement.isOver ? (`${caller}Rejected` as const) : caller][
      Math.floor((nowMs - startMs) / 60_000)
    ]!++
    if (judgement.isOver)
      return { kind: 'rate_limited', quota: { ...noQuota, retryAfterMs: 1000 }, message: '' }
    const { limit, remaining, resetAtMs } = judgement.quota!
    const quota = hasHeaders ? { ...noQuota, limit, remaining, resetInMs: resetAtMs - nowMs } : noQuota
    return { kind: 'ok', quota, message: '' }
  }

  const limiter = openLimiter({
    ledger: openMemoryLedger(clock),
    limits: windows,
    caps: [],
    share,
    concurrency: 16,
    holdMs: 30_000,
    clock,
    random,
  })
  const work = async (itemKey: number) => {
    for (;;) {
      const call = async () => {
        await clock.sleep(20 + random() * 60)
        const result = arrive('ours')
        await clock.sleep(20 + random() * 60)
        return result
      }
      await limiter.schedule({ isRetry: false, itemKey, signal: stop.signal }, call, (result) => result)
    }
  }
  const chat = async () => {
    for (;;) {
      for (let call = 0; call < burst; call++) {
        arrive('live')
        await clock.sleep(200 * random(), stop.signal)
      }
      await clock.sleep(everyMs * random() * 2, stop.signal)
    }
  }
  const ended = Promise.allSettled([chat(), ...Array.from({ length: 16 }, (_, item) => work(item))])
  await clock.advance(minutes * 60_000 - 1)
  stop.abort(new Error('over'))
  await clock.advance(1000)
  await ended
  await limiter.close()
  return counts
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)

describe.each<WindowKind>(['sliding', 'fixed', 'bucket'])('beside live chat, under %s windows', (kind) => {
  it('a share of 80% rejects no call of a chat that uses a fifth in bursts, and uses the rest', async () => {
    const world = { kind, share: 0.8, burst: 5, everyMs: 7000, hasHeaders: true, minutes: 5 }
    const { ours, oursRejected, live, liveRejected } = await play(world)
    expect(sum(live)).toBeGreaterThan(5 * 35)
    expect(sum(liveRejected) + sum(oursRejected)).toBe(0)
    // A window counts as a minute and one latency; the first minute begins with a burst.
    expect(sum(ours)).toBeGreaterThan(0.97 * 5 * 240)
  })

  it('yields to a chat that uses more than was left to it', async () => {
    const world = { kind, share: 0.8, burst: 10, everyMs: 2500, hasHeaders: true, minutes: 8 }
    const { ours, live, liveRejected } = await play(world)
    expect(sum(live) / 8).toBeGreaterThan(90)
    // The first minutes show how much the chat needs. It cannot be known how much it will need, so a few are rejected.
    expect(sum(liveRejected.slice(3))).toBeLessThan(0.06 * sum(live.slice(3)))
    expect(sum(ours.slice(3)) / 5).toBeGreaterThan(60)
  })

  it('with the whole share uses what a chat leaves', async () => {
    const world = { kind, share: 1, burst: 2, everyMs: 2000, hasHeaders: true, minutes: 8 }
    const { ours, live, liveRejected } = await play(world)
    const liveAMinute = sum(live.slice(3)) / 5
    expect(sum(liveRejected.slice(3))).toBeLessThan(0.05 * sum(live.slice(3)))
    expect(sum(ours.slice(3)) / 5).toBeGreaterThan(0.8 * (300 - liveAMinute))
  })

  it('learns from 429s alone where the API says nothing else', async () => {
    const world = { kind, share: 1, burst: 2, everyMs: 2000, hasHeaders: false, minutes: 10 }
    const { live, liveRejected, oursRejected } = await play(world)
    expect(sum(oursRejected)).toBeGreaterThan(0)
    expect(sum(liveRejected.slice(3))).toBeLessThan(0.1 * sum(live.slice(3)))
  })
})
