import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Admission } from '../../src/pacing/admission.js'
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
afterAll(async () => {
  for (const connection of connections) await connection.close()
  await server?.stop()
})

describe.runIf(hasRedis)('processes that share a window', () => {
  it.each([
    ['30 a second', { max: 30, perMs: 1000 }, 8000],
    ['60 in a minute', { max: 60, perMs: 60_000 }, 240_000],
  ])('get each at least half of its part: %s', async (_, window, lastsMs) => {
    let visits = 0
    // Only our clock is false: the timers of the connection run on.
    const clock: FakeClock = new FakeClock(async () => {
      for (let idle = 0; idle < 3; idle = visits > 0 ? 0 : idle + 1)
        await new Promise((resolve) => setImmediate(resolve))
    })
    const state = () => ({ nowMs: clock.monotonicMs(), uptimeMs: 86_400_000, id: 'one' })
    const random = seededRandom(1)
    const journey = async (visit: () => Promise<unknown>) => {
      await clock.sleep(0.2 + random())
      visits++
      const reply = await visit().finally(() => visits--)
      await clock.sleep(0.2 + random())
      return reply
    }
    const stop = new AbortController()
    const counts = [0, 0, 0]
    for (const [index, connection] of connections.entries()) {
      const opening = openRedisLedger({
        connection: withServer(connection, state, journey),
        instance: `https://fair-${window.max}.ada.support`,
        clock,
        script: scriptOnFakeTime,
      })
      await clock.advance(10)
      const pace = { limits: [window], caps: [], share: 1 }
      const admission = new Admission({ ...pace, ledger: await opening, holdMs: 30_000, clock, random })
      const callOn = async () => {
        for (;;) {
          const permit = await admission.admit(stop.signal)
          counts[index]!++
          await clock.sleep(5 + random() * 50)
          admission.answered(permit, { kind: 'ok', quota: noQuota, message: '' }, 'item')
          await permit.taken?.slot.giveBack()
        }
      }
      for (let line = 0; line < 8; line++) callOn().catch(() => {})
    }
    await clock.advance(lastsMs)
    stop.abort()
    await clock.settle()
    const all = counts.reduce((sum, count) => sum + count)
    expect(all).toBeGreaterThan((0.8 * window.max * lastsMs) / window.perMs)
    expect(Math.min(...counts)).toBeGreaterThan(all / 3 / 2)
  })
})
