import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../src/job.js'
import { type Ledger, LedgerLostError, LedgerUnavailableError } from '../../src/pacing/ledger.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { patient, whileHeld } from '../../src/pacing/patience.js'
import { noQuota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

const settled: Verdict = {
  kind: 'settled',
  quota: noQuota,
  outcome: { status: 'succeeded', reason: 'ended', httpStatus: 200, message: '' },
}
const windows = [{ max: 3, perMs: 1000 }]
let clock: FakeClock
let isAway = false
let ledger: Ledger
beforeEach(() => {
  vi.useRealTimers()
  clock = new FakeClock()
  isAway = false
  const memory = openMemoryLedger(clock)
  ledger = {
    ...memory,
    take: async (...args) => {
      if (isAway)
        throw new LedgerUnavailableError('Redis at cache:6379 cannot be used: connect ECONNREFUSED.')
      return memory.take(...args)
    },
  }
})

describe('a patient ledger', () => {
  it('gives no place while the store is away, and places when it is back', async () => {
    const waiting = patient(ledger, clock, 10_000)
    isAway = true
    expect(await waiting.take(windows, 5000)).toMatchObject({ place: null, isLedgerInDoubt: true })
    isAway = false
    expect(await waiting.take(windows, 5000)).toHaveProperty('place.giveBack')
  })

  it('gives up when the store is away for too long without a break', async () => {
    const waiting = patient(ledger, clock, 10_000)
    isAway = true
    for (let second = 0; second < 10; second++) {
      expect((await waiting.take(windows, 5000)).place).toBeNull()
      await clock.advance(1000)
    }
    const last = waiting.take(windows, 5000)
    await expect(last).rejects.toThrow(LedgerLostError)
    await expect(last).rejects.toThrow(/for 10 s\. Redis at cache:6379/)
  })

  it('counts anew after an answer', async () => {
    const waiting = patient(ledger, clock, 10_000)
    for (let second = 0; second < 30; second++) {
      isAway = second % 9 !== 0
      await waiting.take([], 5000)
      await clock.advance(1000)
    }
  })

  it('does not count the time in which nobody asked', async () => {
    const waiting = patient(ledger, clock, 10_000)
    isAway = true
    await waiting.take(windows, 5000)
    await clock.advance(3_600_000)
    expect((await waiting.take(windows, 5000)).place).toBeNull()
  })
})

describe('a limiter on a patient ledger', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    clock = new FakeClock(async () => {
      for (let round = 0; round < 3; round++) await vi.advanceTimersByTimeAsync(10)
    })
  })

  function setUp() {
    const limiter = openLimiter({
      ledger: patient(ledger, clock, 10_000),
      windows,
      share: 1,
      concurrency: 4,
      holdMs: 5000,
      clock,
      random: () => 0.5,
    })
    const stop = new AbortController()
    const call = vi.fn(async () => settled)
    const send = () => limiter.schedule({ isRetry: false, itemKey: 'item', signal: stop.signal }, call)
    return { limiter, stop, call, send }
  }

  it('lets no call leave while the ledger is away, says so, and goes on when it is back', async () => {
    const { limiter, call, send } = setUp()
    isAway = true
    const result = send()
    await clock.advance(5000)
    expect(call).not.toHaveBeenCalled()
    expect(limiter.waiting()).toMatchObject({ kind: 'ledger' })
    isAway = false
    await clock.advance(1000)
    expect(await result).toBe(settled)
    expect(limiter.waiting()).toEqual({ kind: 'nothing' })
  })

  it('ends the waiting at once when it is stopped', async () => {
    const { stop, limiter, send } = setUp()
    isAway = true
    const result = send()
    await clock.advance(2000)
    stop.abort(new Error('stopped'))
    await expect(result).rejects.toThrow('stopped')
    await limiter.close()
  })

  it('tells everybody who waits when the ledger is lost', async () => {
    const { send } = setUp()
    isAway = true
    const results = Promise.allSettled([send(), send()])
    await clock.advance(30_000)
    for (const result of await results) {
      expect(result).toMatchObject({ status: 'rejected', reason: { name: 'LedgerLostError' } })
    }
  })
})

describe('a ledger for whoever holds a lock', () => {
  it('gives no place while the lock may be lost', async () => {
    let isHeld = false
    const guarded = whileHeld(ledger, () => isHeld)
    expect(await guarded.take(windows, 5000)).toMatchObject({ place: null, isLedgerInDoubt: true })
    isHeld = true
    expect(await guarded.take(windows, 5000)).toHaveProperty('place.giveBack')
  })

  it('lets go of a place that came too late', async () => {
    let isHeld = true
    const slow: Ledger = {
      ...ledger,
      take: async (...args) => {
        const taken = await ledger.take(...args)
        isHeld = false
        return taken
      },
    }
    expect((await whileHeld(slow, () => isHeld).take(windows, 5000)).place).toBeNull()
    expect(await ledger.take([{ max: 1, perMs: 1000 }], 5000)).toHaveProperty('place.giveBack')
  })
})
