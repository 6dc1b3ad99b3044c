import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiDownError, type CallResult } from '../../src/pacing/breaker.js'
import { type Ledger, LedgerUnavailableError, withUnavailabilityTimeout } from '../../src/pacing/ledger.js'
import { type LimiterOptions, openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { noQuota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

const ok: CallResult = { kind: 'ok', quota: noQuota, message: '' }
const failure: CallResult = { kind: 'failure', quota: noQuota, message: 'out of order' }
const tooMany = (retryAfterMs: number): CallResult => ({
  kind: 'rate_limited',
  quota: { ...noQuota, retryAfterMs },
  message: '',
})
const itself = (result: CallResult) => result

let clock: FakeClock
beforeEach(() => {
  // Bottleneck starts each job by a timer that is not our clock's.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
  clock = new FakeClock(async () => {
    for (let round = 0; round < 3; round++) await vi.advanceTimersByTimeAsync(10)
  })
})
afterEach(() => {
  vi.useRealTimers()
})

function setUp(options: Partial<LimiterOptions> = {}) {
  const ledger = options.ledger ?? openMemoryLedger(clock)
  const limiter = openLimiter({
    ledger,
    caps: [],
    limits: [{ max: 3, perMs: 1000 }],
    share: 1,
    concurrency: 8,
    holdMs: 30_000,
    clock,
    random: () => 0.5,
    ...options,
  })
  const startMs = clock.monotonicMs()
  const sentMs: [number | string, number][] = []
  const results: (CallResult | Error)[] = []
  const stop = new AbortController()
  /** Schedules a call that lasts `lastsMs`, and notes when it left. */
  const send = (
    itemKey: number | string,
    { result = ok, lastsMs = 0, isRetry = false, signal = stop.signal }: SendOptions = {},
  ) => {
    const call = async (isProbe: boolean) => {
      sentMs.push([isProbe ? `probe ${itemKey}` : itemKey, clock.monotonicMs() - startMs])
      await clock.sleep(lastsMs)
      return result
    }
    const answer = limiter.schedule({ isRetry, itemKey, signal }, call, itself)
    answer.then(
      (result) => results.push(result),
      (error) => results.push(error),
    )
    return answer
  }
  return { limiter, ledger, send, sentMs, results, stop }
}

interface SendOptions {
  result?: CallResult
  lastsMs?: number
  isRetry?: boolean
  signal?: AbortSignal
}

describe('the limiter', () => {
  it('lets a burst out at once and the rest one window after the answers, in order', async () => {
    const { send, sentMs, limiter } = setUp()
    for (let item = 0; item < 7; item++) send(item, { lastsMs: 100 })
    await clock.advance(500)
    expect(limiter.waiting()).toEqual({ kind: 'window', window: { max: 3, perMs: 1000 } })
    await clock.advance(5000)
    expect(sentMs).toEqual([[0, 0], [1, 0], [2, 0], [3, 1100], [4, 1100], [5, 1100], [6, 2200]]) // biome-ignore format: a table
    expect(limiter.counts()).toEqual({ sent: 7, rateLimited: 0 })
    expect(limiter.waiting()).toEqual({ kind: 'nothing' })
  })

  it('bounds the calls in flight', async () => {
    const { send, sentMs } = setUp({ concurrency: 2, limits: [{ max: 100, perMs: 1000 }] })
    for (let item = 0; item < 5; item++) send(item, { lastsMs: 100 })
    await clock.advance(1000)
    expect(sentMs.map(([, atMs]) => atMs)).toEqual([0, 0, 100, 100, 200])
  })

  it('bounds the calls in flight without windows too', async () => {
    const { send, sentMs } = setUp({ concurrency: 2, limits: 'none' })
    for (let item = 0; item < 5; item++) send(item, { lastsMs: 100 })
    await clock.advance(1000)
    expect(sentMs.map(([, atMs]) => atMs)).toEqual([0, 0, 100, 100, 200])
  })

  it('lets retries out before new items', async () => {
    const { send, sentMs } = setUp({ concurrency: 1 })
    send('first', { lastsMs: 100 })
    send('new')
    send('retry', { isRetry: true })
    await clock.advance(3000)
    expect(sentMs.map(([item]) => item)).toEqual(['first', 'retry', 'new'])
  })

  it('uses the share that it is given, live', async () => {
    const { send, sentMs, limiter } = setUp({ share: 0.34, limits: [{ max: 6, perMs: 1000 }] })
    for (let item = 0; item < 6; item++) send(item)
    await clock.advance(0)
    expect(sentMs).toHaveLength(2)
    limiter.setPace({ share: 1 })
    await clock.advance(1000)
    expect(sentMs).toHaveLength(6)
  })

  it('lets nothing leave while it is paused, says so, and continues at once', async () => {
    const { send, sentMs, limiter } = setUp({ limits: [{ max: 100, perMs: 1000 }], isPaused: true })
    send('first')
    await clock.advance(500_000)
    expect(sentMs).toEqual([])
    expect(limiter.waiting()).toEqual({ kind: 'paused' })
    limiter.setPace({ isPaused: false })
    await clock.advance(1)
    expect(sentMs).toHaveLength(1)
    limiter.setPace({ isPaused: true })
    send('second')
    await clock.advance(60_000)
    expect(sentMs).toHaveLength(1)
    expect(limiter.takeTimeSpent()).toEqual({ calling: 1, paused: 560_000 })
  })

  it.each([
    { share: 1, caps: [{ max: 9, perMs: 1000 }], inOneSecond: 3 },
    { share: 1, caps: [{ max: 2, perMs: 1000 }], inOneSecond: 2 },
    { share: 0.67, caps: [{ max: 2, perMs: 1000 }], inOneSecond: 2 },
    { share: 0.34, caps: [{ max: 2, perMs: 1000 }], inOneSecond: 1 },
    { share: 1, caps: [{ max: 1, perMs: 60_000 }], inOneSecond: 1 },
    { share: 1, caps: [{ max: 5000, perMs: 3_600_000 }], inOneSecond: 3 },
  ])('takes caps as they are, and they open no window of the API: %o', async ({ inOneSecond, ...pace }) => {
    const { send, sentMs } = setUp(pace)
    for (let item = 0; item < 6; item++) send(item)
    await clock.advance(999)
    expect(sentMs).toHaveLength(inOneSecond)
  })

  it('waits for a cap by its name, which is no yielding', async () => {
    const { send, limiter } = setUp({ caps: [{ max: 1, perMs: 1000 }] })
    for (let item = 0; item < 2; item++) send(item)
    await clock.advance(500)
    expect(limiter.waiting()).toEqual({ kind: 'window', window: { max: 1, perMs: 1000 } })
    expect(limiter.takeTimeSpent()).toEqual({ 'window 1/1000': 500 })
  })

  it('is paused without windows too', async () => {
    const { send, sentMs, limiter } = setUp({ limits: 'none', isPaused: true })
    for (let item = 0; item < 3; item++) send(item)
    await clock.advance(60_000)
    expect(sentMs).toEqual([])
    limiter.setPace({ isPaused: false })
    await clock.advance(1)
    expect(sentMs).toHaveLength(3)
  })

  it('takes other caps from one call to the next', async () => {
    const { send, sentMs, limiter } = setUp({ limits: 'none' })
    send('first')
    await clock.advance(0)
    limiter.setPace({ caps: [{ max: 2, perMs: 1000 }] })
    for (let item = 0; item < 4; item++) send(item)
    await clock.advance(500)
    expect(sentMs).toHaveLength(1 + 2)
    limiter.setPace({ caps: [] })
    await clock.advance(1)
    expect(sentMs).toHaveLength(5)
  })

  it('keeps account of where the time goes, by the names of the windows that the API has', async () => {
    const { send, limiter } = setUp({ share: 0.5, limits: [{ max: 2, perMs: 1000 }] })
    for (let item = 0; item < 3; item++) send(item, { lastsMs: 100 })
    await clock.advance(2300)
    expect(limiter.takeTimeSpent()).toEqual({ calling: 100, 'window 2/1000': 2200 })
    expect(limiter.takeTimeSpent()).toEqual({})
  })

  it('waits for its hours', async () => {
    const minuteNow = new Date(clock.wallMs()).getHours() * 60 + new Date(clock.wallMs()).getMinutes()
    const { send, sentMs, limiter } = setUp({
      hours: { fromMinute: (minuteNow + 10) % 1440, toMinute: minuteNow },
    })
    send('early')
    await clock.advance(60_000)
    expect(limiter.waiting()).toEqual({ kind: 'hours', untilMs: clock.monotonicMs() + 540_000 })
    await clock.advance(540_000)
    expect(sentMs).toEqual([['early', 600_000]])
  })
})

describe('the limiter, when calls fail, wait no more or are refused,', () => {
  it('drops a waiting call at once when its signal is aborted, and takes no slot for it', async () => {
    const { send, results, sentMs, ledger } = setUp({ limits: [{ max: 1, perMs: 60_000 }], concurrency: 2 })
    const stop = new AbortController()
    send('sent')
    send('at the mutex', { signal: stop.signal })
    send('next at the mutex', { signal: stop.signal })
    send('in the queue', { signal: stop.signal })
    await clock.advance(5000)
    stop.abort(new Error('stopped'))
    await clock.settle()
    expect(results.slice(1)).toEqual(Array(3).fill(new Error('stopped')))
    expect(sentMs).toHaveLength(1)
    expect((await ledger.take([{ max: 2, perMs: 60_000 }], 1)).slot).not.toBeNull()
  })

  it('drops what waits without windows too', async () => {
    const { send, results, sentMs, stop } = setUp({ limits: 'none', concurrency: 2 })
    for (let item = 0; item < 6; item++) send(item, { lastsMs: 100 })
    await clock.advance(50)
    stop.abort(new Error('stopped'))
    await clock.advance(1000)
    expect(sentMs).toHaveLength(2)
    expect(results.filter((result) => result instanceof Error)).toHaveLength(4)
  })

  it('lets a call in flight end when its signal is aborted', async () => {
    const { send, results, stop } = setUp()
    send('in flight', { lastsMs: 100 })
    await clock.advance(50)
    stop.abort(new Error('stopped'))
    await clock.advance(50)
    expect(results).toEqual([ok])
  })

  it('stops all calls on a 429 for as long as the API asks, and then sends one call ahead', async () => {
    const { send, sentMs, limiter, ledger } = setUp({ limits: [{ max: 10, perMs: 1000 }], concurrency: 1 })
    send('refused', { result: tooMany(5000) })
    for (let item = 0; item < 2; item++) send(item, { lastsMs: 300 })
    await clock.advance(1000)
    expect(limiter.waiting()).toMatchObject({ kind: 'rate_limited', untilMs: clock.monotonicMs() + 4000 })
    expect(await ledger.take([], 1000)).toEqual({ slot: null, waitMs: 4000, fullWindow: null })
    await clock.advance(10_000)
    expect(sentMs).toEqual([['refused', 0], [0, 5000], [1, 5300]]) // biome-ignore format: a table
    expect(limiter.counts()).toEqual({ sent: 3, rateLimited: 1 })
  })

  it('sends one call ahead after a 429 while others wait for its answer', async () => {
    const { send, sentMs } = setUp({ limits: [{ max: 10, perMs: 100 }], concurrency: 4 })
    send('refused', { result: tooMany(5000) })
    await clock.advance(100)
    for (let item = 0; item < 3; item++) send(item, { lastsMs: 700 })
    await clock.advance(10_000)
    expect(sentMs).toEqual([['refused', 0], [0, 5000], [1, 5700], [2, 5700]]) // biome-ignore format: a table
  })

  it('releases the slot when the breaker opened while it was taken', async () => {
    const inner = openMemoryLedger(clock)
    let released = 0
    const ledger = {
      ...inner,
      take: async (...args: Parameters<typeof inner.take>) => {
        const taken = await inner.take(...args)
        if (!taken.slot) return taken
        const { slot } = taken
        await clock.sleep(50)
        const release = () => {
          released++
          return slot.release()
        }
        return { ...taken, slot: { ...slot, release } }
      },
    }
    const { send, sentMs } = setUp({ ledger })
    send('refused', { result: tooMany(2000), lastsMs: 20 })
    send('late')
    await clock.advance(5000)
    expect(released).toBe(1)
    expect(sentMs).toEqual([['refused', 50], ['late', 2120]]) // biome-ignore format: a table
  })

  it('yields after a 429', async () => {
    const { send, sentMs } = setUp({ limits: [{ max: 10, perMs: 1000 }], concurrency: 20 })
    send('refused', { result: tooMany(0) })
    await clock.advance(2000)
    for (let item = 0; item < 12; item++) send(item)
    await clock.advance(0)
    expect(sentMs).toHaveLength(1 + 7)
  })

  it('gives up when the API fails for too long, and rejects every call', async () => {
    const { send, sentMs, results } = setUp({ limits: 'none', concurrency: 20, outageMaxMs: 10_000 })
    for (let item = 0; item < 60; item++) send(item, { result: failure, lastsMs: 10 })
    await clock.advance(60_000)
    // 20 at once, 19 in the places of the first that failed, then probes after 1, 2, 4 and 8 s.
    expect(sentMs.slice(39)).toEqual([
      ['probe 39', 1010],
      ['probe 40', 3020],
      ['probe 41', 7030],
      ['probe 42', 15_040],
    ])
    expect(results.filter((result) => result instanceof ApiDownError)).toHaveLength(17)
  })

  it('leaves the slot taken when it is unknown whether the call arrived', async () => {
    const { limiter, ledger, stop } = setUp({ limits: [{ max: 1, perMs: 1000 }], holdMs: 30_000 })
    const cutOff = async () => {
      throw new Error('cut off')
    }
    const call = limiter.schedule({ isRetry: false, itemKey: 1, signal: stop.signal }, cutOff, itself)
    await Promise.all([expect(call).rejects.toThrow('cut off'), clock.advance(10)])
    await clock.advance(29_000)
    expect(await ledger.take([{ max: 1, perMs: 1000 }], 1)).toMatchObject({ slot: null })
  })

  it('drops what waits when it is closed, and lets calls in flight end', async () => {
    const { send, limiter, results } = setUp({ concurrency: 4 })
    for (let item = 0; item < 8; item++) send(item, { lastsMs: 100 })
    await clock.advance(10)
    let isClosed = false
    const closing = limiter.close().then(() => {
      isClosed = true
    })
    await clock.advance(10)
    expect(results).toHaveLength(5)
    expect(isClosed).toBe(false)
    await clock.advance(80)
    await Promise.all([closing, clock.advance(0)])
    expect(results.filter((result) => result === ok)).toHaveLength(3)
  })
})

describe('the limiter on a ledger that is unavailable', () => {
  let isAway = false
  function setUpAway() {
    const memory = openMemoryLedger(clock)
    const away: Ledger = {
      ...memory,
      take: async (...args) => {
        if (isAway)
          throw new LedgerUnavailableError('Redis at cache:6379 cannot be used: connect ECONNREFUSED.')
        return memory.take(...args)
      },
    }
    isAway = true
    return setUp({ ledger: withUnavailabilityTimeout(away, clock, 10_000), concurrency: 4, holdMs: 5000 })
  }

  it('lets no call leave while the ledger is away, says so, and continues when it is back', async () => {
    const { limiter, send, sentMs, results } = setUpAway()
    send('item')
    await clock.advance(5000)
    expect(sentMs).toEqual([])
    expect(limiter.waiting()).toMatchObject({ kind: 'ledger' })
    isAway = false
    await clock.advance(1000)
    expect(results).toEqual([ok])
    expect(limiter.waiting()).toEqual({ kind: 'nothing' })
  })

  it('ends the waiting at once when it is stopped', async () => {
    const { stop, limiter, send, results } = setUpAway()
    send('item')
    await clock.advance(2000)
    stop.abort(new Error('stopped'))
    await clock.settle()
    expect(results).toEqual([new Error('stopped')])
    await limiter.close()
  })

  it('rejects every call that waits when the ledger is lost', async () => {
    const { send, results } = setUpAway()
    for (let item = 0; item < 2; item++) send(item)
    await clock.advance(30_000)
    expect(results).toMatchObject([{ name: 'LedgerLostError' }, { name: 'LedgerLostError' }])
  })
})

describe('a share by a timetable', () => {
  it('is the share of the hour, by the wall clock', async () => {
    const now = new Date(clock.wallMs())
    const minute = now.getHours() * 60 + now.getMinutes() + 1
    const share = { spans: [{ fromMinute: minute, toMinute: minute + 5, share: 1 }], otherwise: 0.34 }
    const { send, sentMs } = setUp({ share })
    for (let item = 0; item < 3; item++) send(item)
    await clock.advance(500)
    expect(sentMs).toHaveLength(1)
    await clock.advance(61_000)
    expect(sentMs).toHaveLength(3)
    for (let item = 3; item < 6; item++) send(item)
    await clock.advance(0)
    expect(sentMs).toHaveLength(6)
  })
})
