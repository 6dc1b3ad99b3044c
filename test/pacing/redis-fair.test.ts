import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Verdict } from '../../src/job.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { noQuota } from '../../src/settings/limits.js'
import { connectRedis, type RedisConnection } from '../../src/system/redis.js'
import { FakeClock } from '../fake-clock.js'
import { hasRedis, type RedisServer, startRedis } from '../system/server.js'
import { scriptOnFakeTime, withServer } from './fake-redis-time.js'
import { seededRandom } from './seeded-random.js'

let server: RedisServer
const connections: RedisConnection[] = []
beforeAll(async () => {
  server = await startRedis()
  for (let count = 0; count < 3; count++) connections.push(await connectRedis(server.url))
})
afterEach(() => {
  vi.useRealTimers()
})
afterAll(async () => {
  for (const connection of connections) await connection.close()
  await server?.stop()
})

const verdict: Verdict = {
  kind: 'settled',
  quota: noQuota,
  outcome: { status: 'succeeded', reason: 'ended', httpStatus: 200, message: '' },
}

describe.runIf(hasRedis)('processes that share a window', () => {
  it.each([
    ['30 a second', { max: 30, perMs: 1000 }, 8000],
    ['60 in a minute', { max: 60, perMs: 60_000 }, 240_000],
  ])('get each at least half of its part: %s', async (_, window, lastsMs) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let underWay = 0
    const clock: FakeClock = new FakeClock(async () => {
      do {
        await vi.advanceTimersByTimeAsync(1)
        await new Promise((resolve) => setImmediate(resolve))
      } while (underWay > 0)
      await vi.advanceTimersByTimeAsync(1)
    })
    const state = () => ({ nowMs: clock.monotonicMs(), uptimeMs: 86_400_000, id: 'one' })
    const random = seededRandom(1)
    const journey = async (visit: () => Promise<unknown>) => {
      await clock.sleep(0.2 + random())
      underWay++
      const reply = await visit().finally(() => underWay--)
      await clock.sleep(0.2 + random())
      return reply
    }
    const stop = new AbortController()
    const sent = await Promise.all(
      connections.map(async (connection) => {
        const opening = openRedisLedger({
          connection: withServer(connection, state, journey),
          instance: `https://fair-${window.max}.ada.support`,
          clock,
          script: scriptOnFakeTime,
        })
        await clock.advance(10)
        const ledger = await opening
        const limiter = openLimiter({
          ledger,
          windows: [window],
          share: 1,
          concurrency: 8,
          holdMs: 30_000,
          clock,
          random,
        })
        const call = async () => {
          await clock.sleep(5 + random() * 50)
          return verdict
        }
        const callOn = async () => {
          for (;;) await limiter.schedule({ isRetry: false, itemKey: 'item', signal: stop.signal }, call)
        }
        for (let line = 0; line < 8; line++) callOn().catch(() => {})
        return () => limiter.counts().sent
      }),
    )
    await clock.advance(lastsMs)
    const counts = sent.map((count) => count())
    stop.abort()
    await clock.settle()
    const all = counts.reduce((sum, count) => sum + count)
    expect(all).toBeGreaterThan((0.8 * window.max * lastsMs) / window.perMs)
    expect(Math.min(...counts)).toBeGreaterThan(all / 3 / 2)
  })
})
