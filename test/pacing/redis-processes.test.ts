import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { startProxy } from '../system/proxy.js'
import { hasRedis, startRedis } from '../system/server.js'

const windows = [
  { max: 20, perMs: 500 },
  { max: 60, perMs: 2000 },
]
const child = join(import.meta.dirname, 'redis-process.ts')
const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')

describe.runIf(hasRedis)('the ledger in Redis, for real processes that are killed and frozen', () => {
  it('holds every window, though Redis comes and goes', async () => {
    const redis = await startRedis()
    const proxy = await startProxy(redis.port)
    const arrivals: number[] = []
    const api = createServer(async (_request, response) => {
      await delay(Math.random() * 20)
      arrivals.push(performance.now())
      await delay(Math.random() * 20)
      response.end()
    }).listen(0, '127.0.0.1')
    await once(api, 'listening')
    const children = new Set<ChildProcess>()
    const start = () => {
      const urls = [
        `redis://127.0.0.1:${proxy.port}`,
        `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      ]
      const args = [jiti, child, ...urls, JSON.stringify(windows)]
      const started = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
      children.add(started)
      started.once('exit', () => children.delete(started))
    }
    const any = () => [...children][Math.floor(Math.random() * children.size)]
    const someArrive = async (number = 1) => {
      const before = arrivals.length
      while (arrivals.length < before + number) await delay(20)
    }
    let kills = 0
    let freezes = 0
    /** While this goes on, processes are frozen and killed. */
    async function torment(rounds: number): Promise<void> {
      for (let round = 0; round < rounds; round++) {
        await delay(Math.random() * 150)
        const frozen = any()
        frozen?.kill('SIGSTOP')
        freezes++
        await delay(Math.random() * 150)
        if (freezes % 4 === 0) {
          any()?.kill('SIGKILL')
          kills++
          start()
        }
        frozen?.kill('SIGCONT')
      }
    }

    for (let count = 0; count < 3; count++) start()
    await someArrive()
    await torment(24)

    // Calls last 40 ms, and no window makes anybody wait for more than two seconds.
    proxy.set('refusing')
    await delay(1500)
    const whenAway = arrivals.length
    await delay(2500)
    expect(arrivals.length).toBe(whenAway)
    proxy.set('open')
    await someArrive(30)

    await redis.client.flushall()
    await someArrive(30)

    await redis.kill()
    await redis.start()
    await someArrive(30)
    await torment(8)

    await Promise.all([...children].map((process) => [process.kill('SIGKILL'), once(process, 'exit')][1]))
    api.closeAllConnections()
    api.close()
    proxy.stop()
    for (const key of await redis.client.keys('*')) expect(await redis.client.pttl(key)).toBeGreaterThan(0)
    await redis.stop()

    for (const { max, perMs } of windows) {
      const spans = arrivals.slice(max).map((atMs, index) => atMs - arrivals[index]!)
      expect(Math.min(...spans)).toBeGreaterThanOrEqual(perMs)
    }
    expect(kills).toBeGreaterThan(2)
    expect(freezes).toBeGreaterThan(10)
    expect(arrivals.length).toBeGreaterThan(150)
  }, 120_000)
})
