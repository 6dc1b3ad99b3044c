/** One of several processes on one ledger, in a directory or in Redis: calls as often as it may until it is killed. */
import { setTimeout as delay } from 'node:timers/promises'
import { openFileLedger } from '../../src/pacing/file.js'
import { type Ledger, withUnavailabilityTimeout } from '../../src/pacing/ledger.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { systemClock as clock } from '../../src/system/clock.js'
import { connectRedis } from '../../src/system/redis.js'

const [store, url, windows] = process.argv.slice(2) as [string, string, string]
const instance = 'https://acme.ada.support'
const ledger = await (store.startsWith('redis:')
  ? inRedis()
  : openFileLedger({ directory: store, instance, clock }))

/** The Redis of the test comes and goes. */
async function inRedis(): Promise<Ledger> {
  const connection = await connectRedis(store).catch(() => null)
  if (connection === null) return delay(50).then(inRedis)
  return withUnavailabilityTimeout(await openRedisLedger({ connection, instance, clock }), clock)
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
