import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startProxy } from '../system/proxy.js'
import { hasRedis, startRedis } from '../system/server.js'
import { startProcesses } from './ledger-processes.js'

it.runIf(hasRedis)(
  'the ledger in Redis holds every window for real processes, though Redis comes and goes',
  async () => {
    const redis = await startRedis()
    const proxy = await startProxy(redis.port)
    const processes = await startProcesses(`redis://127.0.0.1:${proxy.port}`)
    const { arrivals, moreArrive, torment } = processes
    for (let round = 0; round < 24; round++) await torment()

    // Calls last 40 ms, and no window makes a process wait for more than two seconds.
    proxy.set('refusing')
    await delay(1500)
    const whenAway = arrivals.length
    await delay(2500)
    expect(arrivals.length).toBe(whenAway)
    proxy.set('open')
    await moreArrive(30)

    await redis.client.flushall()
    await moreArrive(30)

    await redis.kill()
    await redis.start()
    await moreArrive(30)
    for (let round = 0; round < 8; round++) await torment()

    await processes.stop()
    proxy.stop()
    for (const key of await redis.client.keys('*')) expect(await redis.client.pttl(key)).toBeGreaterThan(0)
    await redis.stop()
    processes.expectWindowsHeld()
    expect(arrivals.length).toBeGreaterThan(150)
  },
  120_000,
)
