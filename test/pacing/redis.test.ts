import { beforeEach, describe, expect, it } from 'vitest'
import { type Ledger, LedgerUnavailableError } from '../../src/pacing/ledger.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { type RedisConnection, RedisError } from '../../src/system/redis.js'
import { FakeClock } from '../fake-clock.js'
import { startRedisForFile } from '../system/for-file.js'
import { hasRedis, type RedisServer } from '../system/server.js'
import { scriptOnFakeTime, withServer } from './fake-redis-time.js'
import { slotsLeft, testLedgerContract, testSharedLedger } from './ledger-contract.js'

let server: RedisServer
let connection: RedisConnection
startRedisForFile((...started) => {
  ;[server, connection] = started
})
let instances = 0

const openOn = (clock: FakeClock, instance: string) =>
  openRedisLedger({
    connection: withServer(connection, () => ({ nowMs: clock.wallMs(), uptimeMs: 172_800_000, id: 'one' })),
    instance,
    clock,
    script: scriptOnFakeTime,
  })

describe.runIf(hasRedis)('one of the ledgers', () => {
  testLedgerContract('Redis', (clock) => openOn(clock, `https://acme-${instances++}.ada.support`))
  testSharedLedger('Redis', (clock, nth, instance) => openOn(clock, `${instance}/${nth}`))
})

describe.runIf(hasRedis)('the ledger in Redis', () => {
  const window = { max: 3, perMs: 1000 }
  const holdMs = 5000
  let clock: FakeClock
  let instance = ''
  let state = { clockMs: 0, startedMs: 0, id: 'one' }
  beforeEach(() => {
    clock = new FakeClock()
    instance = `https://acme-${instances++}.ada.support`
    state = { clockMs: 1_700_000_000_000, startedMs: -86_400_000, id: 'one' }
  })
  const journeys = { visit: (visit: () => Promise<unknown>) => visit() }

  function open(journey = journeys.visit): Promise<Ledger> {
    const server = () => {
      const nowMs = clock.monotonicMs() + state.clockMs
      return { nowMs, uptimeMs: clock.monotonicMs() - state.startedMs, id: state.id }
    }
    return openRedisLedger({
      connection: withServer(connection, server, journey),
      instance,
      clock,
      script: scriptOnFakeTime,
    })
  }

  const keys = async () => (await server.client.keys(`ada-bulk:{acme-${instances - 1}.*`)).sort()

  it('leaves no key that does not expire, and not before the calls on record count no more', async () => {
    const ledger = await open()
    await ledger.take([window, { max: 5000, perMs: 86_400_000 }], 60_000)
    const names = await keys()
    expect(names).toHaveLength(2)
    for (const name of names) {
      const liveMs = await server.client.pttl(name)
      expect(liveMs).toBeGreaterThan(86_400_000)
      expect(liveMs).toBeLessThanOrEqual(86_400_000 + 60_000)
    }
  })

  it('forgets calls that no window counts any more', async () => {
    const ledger = await open()
    for (let call = 0; call < 200; call++) {
      await (await ledger.take([], holdMs)).slot?.giveBack()
      await clock.advance(10_000)
    }
    const [calls] = await keys()
    expect(await server.client.zcard(calls!)).toBeLessThan(32)
  })

  it('forgets calls when the longest window is over', async () => {
    const day = { max: 10, perMs: 86_400_000 }
    const ledger = await open()
    for (let call = 0; call < 10; call++) await (await ledger.take([day], holdMs)).slot?.giveBack()
    await clock.advance(180_000_000)
    await ledger.take([window], holdMs)
    const [calls] = await keys()
    expect(await server.client.zcard(calls!)).toBe(1)
  })

  describe('when Redis may have lost calls', () => {
    const doubt = { slot: null, fullWindow: null, isLedgerInDoubt: true }

    it('gives no process a slot for a hold and a window after its data were deleted', async () => {
      const ledger = await open()
      await ledger.take([window], holdMs)
      await server.client.del(await keys())
      expect(await ledger.take([window], holdMs)).toEqual({ ...doubt, waitMs: 6000 })
      await clock.advance(5999)
      expect(await (await open()).take([window], holdMs)).toEqual({ ...doubt, waitMs: 1 })
      await clock.advance(1)
      expect(await slotsLeft(ledger, window)).toBe(3)
    })

    it('notices that also when a process without knowledge came first', async () => {
      const ledger = await open()
      await ledger.take([window], holdMs)
      await server.client.del(await keys())
      const newcomer = await open()
      await clock.advance(2000)
      expect(await ledger.take([window], holdMs)).toEqual({ ...doubt, waitMs: 4000 })
      expect(await newcomer.take([window], holdMs)).toEqual({ ...doubt, waitMs: 4000 })
    })

    it('notices that the calls alone are gone', async () => {
      await (await open()).take([window], holdMs)
      const [calls] = await keys()
      await server.client.del(calls!)
      expect(await (await open()).take([window], holdMs)).toEqual({ ...doubt, waitMs: 6000 })
    })

    it('notices that the server started again, with its data or some of it', async () => {
      await (await open()).take([window], holdMs)
      state.id = 'two'
      expect(await (await open()).take([window], holdMs)).toEqual({ ...doubt, waitMs: 6000 })
      await clock.advance(6000)
      expect(await slotsLeft(await open(), window)).toBe(3)
    })

    it('waits for the rest of a hold and a window on a server that has just started', async () => {
      state.startedMs = clock.monotonicMs() - 2000
      const ledger = await open()
      expect(await ledger.take([window], holdMs)).toEqual({ ...doubt, waitMs: 4000 })
      await clock.advance(4000)
      expect(await slotsLeft(ledger, window)).toBe(3)
    })

    it('takes a record for expired, not lost, when no process has called for long', async () => {
      const ledger = await open()
      await ledger.take([window], holdMs)
      await clock.advance(3_600_000)
      await server.client.del(await keys())
      expect(await slotsLeft(ledger, window)).toBe(3)
    })
  })

  describe('when the clock of the server is set', () => {
    it.each([
      ['forward', 3_600_000],
      ['back', -3_600_000],
    ])('neither opens nor blocks for several processes: %s', async (_, jumpMs) => {
      const [one, other] = [await open(), await open()]
      for (let call = 0; call < 3; call++) await (await one.take([window], holdMs)).slot?.giveBack()
      await clock.advance(100)
      state.clockMs += jumpMs
      expect(await other.take([window], holdMs)).toMatchObject({ slot: null, fullWindow: window })
      expect(await one.take([window], holdMs)).toMatchObject({ slot: null, fullWindow: window })
      // The time since the last visit may be lost, no more.
      await clock.advance(1000)
      expect(await slotsLeft(one, window)).toBe(3)
      expect(await slotsLeft(other, window)).toBe(0)
    })

    it('does not trust a process about a time in which another one was there', async () => {
      const tenSeconds = { max: 1, perMs: 10_000 }
      const [one, other] = [await open(), await open()]
      const { slot } = await other.take([tenSeconds], 100_000)
      await one.take([tenSeconds], 100_000)
      await clock.advance(20_000)
      state.clockMs += 3_600_000
      await slot?.giveBack()
      expect(await one.take([tenSeconds], 100_000)).toMatchObject({ slot: null, waitMs: 10_000 })
    })

    it('does not fall behind by commands that are held up on their way', async () => {
      let heldUpMs = 0
      const ledger = await open(async (visit) => {
        clock.freeze(heldUpMs)
        return visit()
      })
      await (await ledger.take([window], 100_000)).slot?.giveBack()
      heldUpMs = 600
      for (let call = 0; call < 2; call++) await ledger.take([window], 100_000)
      // It was there 1200 ms after the call ended, so that counts no more.
      heldUpMs = 0
      expect(await slotsLeft(ledger, window)).toBe(1)
    })
  })

  describe('when Redis does not answer', () => {
    const away = async () => Promise.reject(new RedisError('Redis at cache:6379 cannot be used: it is away.'))
    let journey = journeys.visit
    let ledger: Ledger
    beforeEach(async () => {
      journey = journeys.visit
      ledger = await open((visit) => journey(visit))
    })

    it('gives no slot, and says why', async () => {
      journey = away
      const taking = ledger.take([window], holdMs)
      await expect(taking).rejects.toThrow(LedgerUnavailableError)
      await expect(taking).rejects.toThrow('Redis at cache:6379 cannot be used: it is away.')
    })

    it('learns later which calls ended while it was away, and when', async () => {
      const { slot } = await ledger.take([window], holdMs)
      journey = away
      await slot?.giveBack()
      await ledger.blockFor(500)
      await clock.advance(400)
      journey = journeys.visit
      expect(await ledger.take([{ max: 1, perMs: 1000 }], holdMs)).toMatchObject({ waitMs: 100 })
      await clock.advance(100)
      expect(await ledger.take([{ max: 1, perMs: 1000 }], holdMs)).toMatchObject({ waitMs: 500 })
    })

    it('releases a slot that was never confirmed', async () => {
      journey = async (visit) => {
        await visit()
        return away()
      }
      await expect(ledger.take([window], holdMs)).rejects.toThrow(LedgerUnavailableError)
      journey = journeys.visit
      expect(await slotsLeft(ledger, window)).toBe(3)
    })

    it('tries again when the slot came late: its hold runs already', async () => {
      let visits = 0
      journey = async (visit) => {
        const reply = await visit()
        if (++visits === 1) clock.freeze(holdMs)
        return reply
      }
      expect(await ledger.take([window], holdMs)).toMatchObject({ onRecord: [1] })
      await clock.advance(1500)
      expect(await slotsLeft(await open(), window)).toBe(2)
    })

    it('gives up on a Redis that is always late', async () => {
      journey = async (visit) => {
        clock.freeze(holdMs)
        return visit()
      }
      await expect(ledger.take([window], holdMs)).rejects.toThrow(/too slowly/)
    })
  })
})
