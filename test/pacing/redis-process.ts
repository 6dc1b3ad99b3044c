/** One of several processes on one ledger in Redis: calls as often as it may until it is killed. */
import { setTimeout as delay } from 'node:timers/promises'
import { withUnavailabilityTimeout } from '../../src/pacing/ledger.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { systemClock } from '../../src/system/clock.js'
import { connectRedis, type RedisConnection } from '../../src/system/redis.js'

const [redisUrl, url, windows] = process.argv.slice(2) as [string, string, string]
const connection = await connected()
const opened = await openRedisLedger({ connection, instance: 'https://acme.ada.support', clock: systemClock })
const ledger = withUnavailabilityTimeout(opened, systemClock)

/** The Redis of this test comes and goes. */
async function connected(): Promise<RedisConnection> {
  return await connectRedis(redisUrl).catch(() => delay(50).then(connected))
}

async function callOn(): Promise<void> {
  for (;;) {
    const { slot, ...refused } = await ledger.take(JSON.parse(windows), 1500)
    if (!slot) {
      await delay('waitMs' in refused ? Math.min(refused.waitMs, 50) : 1)
      continue
    }
    await fetch(url).then((answer) => answer.text())
    await slot.giveBack()
  }
}
await Promise.all([callOn(), callOn(), callOn(), callOn()])
