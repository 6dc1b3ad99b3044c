import { beforeEach, describe, expect, it } from 'vitest'
import {
  type Ledger,
  LedgerLostError,
  LedgerUnavailableError,
  whileHeld,
  withUnavailabilityTimeout,
} from '../../src/pacing/ledger.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { FakeClock } from '../fake-clock.js'
import { testLedgerContract } from './ledger-contract.js'

testLedgerContract('memory', async (clock) => openMemoryLedger(clock))

const windows = [{ max: 3, perMs: 1000 }]
let clock: FakeClock
let isAway = false
let ledger: Ledger
beforeEach(() => {
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

describe('a ledger with an unavailability timeout', () => {
  it('gives no slot while the store is away, and slots when it is back', async () => {
    const waiting = withUnavailabilityTimeout(ledger, clock, 10_000)
    isAway = true
    expect(await waiting.take(windows, 5000)).toMatchObject({ slot: null, isLedgerInDoubt: true })
    isAway = false
    expect(await waiting.take(windows, 5000)).toHaveProperty('slot.giveBack')
  })

  it('gives up when the store is away for too long without a break', async () => {
    const waiting = withUnavailabilityTimeout(ledger, clock, 10_000)
    isAway = true
    for (let second = 0; second < 10; second++) {
      expect((await waiting.take(windows, 5000)).slot).toBeNull()
      await clock.advance(1000)
    }
    const last = waiting.take(windows, 5000)
    await expect(last).rejects.toThrow(LedgerLostError)
    await expect(last).rejects.toThrow(/for 10 s\. Redis at cache:6379/)
  })

  it('starts counting again after an answer', async () => {
    const waiting = withUnavailabilityTimeout(ledger, clock, 10_000)
    for (let second = 0; second < 30; second++) {
      isAway = second % 9 !== 0
      await waiting.take([], 5000)
      await clock.advance(1000)
    }
  })

  it('does not count time in which no slot was asked for', async () => {
    const waiting = withUnavailabilityTimeout(ledger, clock, 10_000)
    isAway = true
    await waiting.take(windows, 5000)
    await clock.advance(3_600_000)
    expect((await waiting.take(windows, 5000)).slot).toBeNull()
  })
})

describe('a ledger for the holder of a lock', () => {
  it('gives no slot while the lock may be lost', async () => {
    let isHeld = false
    const guarded = whileHeld(ledger, () => isHeld)
    expect(await guarded.take(windows, 5000)).toMatchObject({ slot: null, isLedgerInDoubt: true })
    isHeld = true
    expect(await guarded.take(windows, 5000)).toHaveProperty('slot.giveBack')
  })

  it('releases a slot that came too late', async () => {
    let isHeld = true
    const slow: Ledger = {
      ...ledger,
      take: async (...args) => {
        const taken = await ledger.take(...args)
        isHeld = false
        return taken
      },
    }
    expect((await whileHeld(slow, () => isHeld).take(windows, 5000)).slot).toBeNull()
    expect(await ledger.take([{ max: 1, perMs: 1000 }], 5000)).toHaveProperty('slot.giveBack')
  })
})
