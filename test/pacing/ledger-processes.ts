import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'

export const windows = [
  { max: 20, perMs: 500 },
  { max: 60, perMs: 2000 },
]
const program = join(import.meta.dirname, 'ledger-process.ts')
const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')

/** Three real processes that call an API through one ledger. */
export async function startProcesses(store: string) {
  const arrivals: number[] = []
  const api = createServer(async (_request, response) => {
    await delay(Math.random() * 20)
    arrivals.push(performance.now())
    await delay(Math.random() * 20)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(api, 'listening')
  const url = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const children = new Set<ChildProcess>()
  const counts = { kills: 0, freezes: 0 }

  function start(): void {
    const args = [jiti, program, store, url, JSON.stringify(windows)]
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    children.add(started)
    started.once('exit', () => children.delete(started))
  }

  const any = () => [...children][Math.floor(Math.random() * children.size)]

  async function moreArrive(count = 1): Promise<void> {
    const before = arrivals.length
    while (arrivals.length < before + count) await delay(20)
  }

  for (let count = 0; count < 3; count++) start()
  await moreArrive()
  return {
    arrivals,
    counts,
    moreArrive,
    /** Freezes one process for a moment; every fourth time it also kills one and starts another. */
    async torment(whileFrozen: () => void = () => {}): Promise<void> {
      await delay(Math.random() * 150)
      const frozen = any()
      frozen?.kill('SIGSTOP')
      counts.freezes++
      whileFrozen()
      await delay(Math.random() * 150)
      if (counts.freezes % 4 === 0) {
        any()?.kill('SIGKILL')
        counts.kills++
        start()
      }
      frozen?.kill('SIGCONT')
    },
    async stop(): Promise<void> {
      await Promise.all([...children].map((child) => [child.kill('SIGKILL'), once(child, 'exit')][1]))
      api.closeAllConnections()
      api.close()
    },
    expectWindowsHeld(): void {
      for (const { max, perMs } of windows) {
        const spans = arrivals.slice(max).map((atMs, index) => atMs - arrivals[index]!)
        expect(Math.min(...spans)).toBeGreaterThanOrEqual(perMs)
      }
      expect(counts.kills).toBeGreaterThan(2)
      expect(counts.freezes).toBeGreaterThan(10)
    },
  }
}
