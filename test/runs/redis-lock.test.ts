import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { LockHolder } from '../../src/runs/lock-file.js'
import { type RedisLock, takeRedisLock } from '../../src/runs/redis-lock.js'
import { UsageError } from '../../src/system/errors.js'
import { type RedisConnection, RedisError } from '../../src/system/redis.js'
import { FakeClock } from '../fake-clock.js'
import { startRedisForFile } from '../system/for-file.js'
import { hasRedis, type RedisServer } from '../system/server.js'

let server: RedisServer
let connection: RedisConnection
startRedisForFile((...started) => {
  ;[server, connection] = started
})

const name = 'end-conversations-1b4f0e98'
const key = `ada-bulk:lock:{${name}}`
let clock: FakeClock
let isAway: boolean
let lostTo: LockHolder[]
let taken: RedisLock[]
let underWay: number
beforeEach(() => {
  isAway = false
  lostTo = []
  taken = []
  underWay = 0
  clock = new FakeClock(async () => {
    do await new Promise((resolve) => setImmediate(resolve))
    while (underWay > 0)
  })
})
afterEach(async () => {
  isAway = false
  for (const lock of taken) await lock.release()
  await server.client.flushall()
})

/** The same Redis, as this host sees it. */
const seen: Pick<RedisConnection, 'script'> = {
  script(scriptName, text, keys) {
    const run = connection.script(scriptName, text, keys)
    return async (...args) => {
      if (isAway) throw new RedisError('Redis at cache:6379 cannot be used: it is away.')
      underWay++
      try {
        return await run(...args)
      } finally {
        underWay--
      }
    }
  },
}

async function take(run = '/runs/one') {
  const onLost = (holder: LockHolder) => lostTo.push(holder)
  const attempt = await takeRedisLock({ connection: seen, name, run, clock, onLost })
  if (attempt.lock) taken.push(attempt.lock)
  return attempt
}

async function lockOf(run?: string): Promise<RedisLock> {
  const { lock } = await take(run)
  if (!lock) throw new Error('somebody else holds the lock')
  return lock
}

describe.runIf(hasRedis)('a lock in Redis', () => {
  it('goes to one at a time, and says who holds it, since when and where', async () => {
    await lockOf('/runs/one')
    const since = new Date(clock.wallMs()).toISOString()
    expect(await take('/runs/two')).toMatchObject({
      lock: null,
      holder: { pid: process.pid, host: expect.any(String), since, run: '/runs/one' },
    })
  })

  it('is free after its release', async () => {
    await (await lockOf()).release()
    expect(await server.client.exists(key)).toBe(0)
    await lockOf()
  })

  it('expires by itself, and is renewed long before', async () => {
    const lock = await lockOf()
    await server.client.pexpire(key, 30_000)
    await clock.advance(20_000)
    expect(await server.client.pttl(key)).toBeGreaterThan(55_000)
    await clock.advance(3_600_000)
    expect(lock.isHeld()).toBe(true)
    expect(await server.client.pttl(key)).toBeLessThanOrEqual(60_000)
  })

  it('is not released by somebody who lost it', async () => {
    const lost = await lockOf('/runs/one')
    await server.client.del(key)
    await lockOf('/runs/two')
    await lost.release()
    expect(await take()).toMatchObject({ lock: null, holder: { run: '/runs/two' } })
  })

  it('tells a holder that somebody else has taken it', async () => {
    const lost = await lockOf('/runs/one')
    await server.client.del(key)
    await lockOf('/runs/two')
    await clock.advance(20_000)
    expect(lostTo).toMatchObject([{ run: '/runs/two' }])
    expect(lost.isHeld()).toBe(false)
  })

  it('is taken again when Redis lost it and nobody else came', async () => {
    const lock = await lockOf()
    await server.client.flushall()
    await clock.advance(20_000)
    expect(lostTo).toEqual([])
    expect(lock.isHeld()).toBe(true)
    expect(await take()).toMatchObject({ lock: null })
  })

  it('does not count as held by a process that stood still for long, until it is renewed', async () => {
    const lock = await lockOf()
    clock.freeze(60_000)
    expect(lock.isHeld()).toBe(false)
    await clock.advance(0)
    expect(lock.isHeld()).toBe(true)
  })

  it('does not count as held when Redis is away for long, and is renewed soon after that', async () => {
    const lock = await lockOf()
    isAway = true
    await clock.advance(59_999)
    expect(lock.isHeld()).toBe(true)
    await clock.advance(1)
    expect(lock.isHeld()).toBe(false)
    isAway = false
    await clock.advance(1000)
    expect(lock.isHeld()).toBe(true)
    expect(lostTo).toEqual([])
  })

  it('is let go of when Redis is away at the end', async () => {
    const lock = await lockOf()
    isAway = true
    await lock.release()
    expect(lock.isHeld()).toBe(false)
  })

  it('refuses to start with a sentence when Redis is away', async () => {
    isAway = true
    await expect(take()).rejects.toThrow(UsageError)
  })
})
