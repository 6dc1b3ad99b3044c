/** One of several processes that share a ledger: calls until the server is over. Started by the benchmark. */

import { openFileLedger } from '../../src/pacing/file.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import { systemClock } from '../../src/system/clock.js'
import { connectRedis } from '../../src/system/redis.js'
import { callPaced, openClient } from './pacing-world.js'

const [, , url, client, instance, store] = process.argv as unknown as [
  string,
  string,
  string,
  string,
  string,
  string,
]
const connection = store.startsWith('redis:') ? await connectRedis(store) : null
const ledger = connection
  ? await openRedisLedger({ connection, instance, clock: systemClock })
  : await openFileLedger({ directory: store, instance, clock: systemClock })
const { call, close } = openClient(url, client)
await callPaced(ledger, call, Number.POSITIVE_INFINITY)
await close()
await ledger.close()
await connection?.close()
