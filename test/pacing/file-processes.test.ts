import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { appendFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'

const windows = [
  { max: 20, perMs: 500 },
  { max: 60, perMs: 2000 },
]
const lastsMs = 4500
const child = join(import.meta.dirname, 'file-process.ts')
const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')

it('holds every window for real processes that are killed and frozen at random', async () => {
  const arrivals: number[] = []
  const server = createServer(async (_request, response) => {
    await delay(Math.random() * 20)
    arrivals.push(performance.now())
    await delay(Math.random() * 20)
    response.end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-processes-'))
  const children = new Set<ChildProcess>()
  const start = () => {
    const { port } = server.address() as AddressInfo
    const args = [jiti, child, directory, `http://127.0.0.1:${port}`, JSON.stringify(windows)]
    const started = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] })
    children.add(started)
    started.once('exit', () => children.delete(started))
  }
  /** As if a process were killed right after it sealed the log. */
  const seal = () => {
    const folder = join(
      directory,
      'ledger',
      readdirSync(join(directory, 'ledger')).find((name) => name[0] !== '.')!,
    )
    const generation = Math.max(...readdirSync(folder).map(Number.parseFloat))
    appendFileSync(join(folder, `${generation}.log`), `\nseal test-${freezes} 0 0 none 0 0 ;\n`)
    return generation
  }
  const any = () => [...children][Math.floor(Math.random() * children.size)]
  let kills = 0
  let freezes = 0
  let generation = 1
  for (let count = 0; count < 3; count++) start()
  while (arrivals.length === 0) await delay(20)
  const endMs = performance.now() + lastsMs
  while (performance.now() < endMs) {
    await delay(Math.random() * 150)
    const frozen = any()
    frozen?.kill('SIGSTOP')
    freezes++
    generation = seal()
    await delay(Math.random() * 150)
    if (freezes % 4 === 0) {
      any()?.kill('SIGKILL')
      kills++
      start()
    }
    frozen?.kill('SIGCONT')
  }
  await Promise.all([...children].map((process) => [process.kill('SIGKILL'), once(process, 'exit')][1]))
  server.closeAllConnections()
  server.close()
  rmSync(directory, { recursive: true, force: true })

  for (const { max, perMs } of windows) {
    const spans = arrivals.slice(max).map((atMs, index) => atMs - arrivals[index]!)
    expect(Math.min(...spans)).toBeGreaterThanOrEqual(perMs)
  }
  expect(kills).toBeGreaterThan(2)
  expect(freezes).toBeGreaterThan(10)
  expect(generation).toBeGreaterThan(5)
  // The windows were filled, not only kept: this many would be possible without kills and freezes.
  const possible = (lastsMs / windows[1]!.perMs) * windows[1]!.max
  expect(arrivals.length).toBeGreaterThan(possible / 3)
}, 20_000)
