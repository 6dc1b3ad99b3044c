import { createHook } from 'node:async_hooks'
import fs, { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Hang, SimulatedTime } from './host.js'
import { playSimulated } from './simulated-run.js'

function directory(): string {
  const path = mkdtempSync(join(tmpdir(), 'ada-bulk-simulation-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** As long as this test goes on, timers and files are those of a simulation. */
function simulation(): SimulatedTime {
  const time = new SimulatedTime(() => 0)
  time.loop.begin()
  onTestFinished(() => time.loop.end())
  return time
}

test.for([6, 52])(
  'the same seed plays the same run, which waits for nothing unseen: seed %i',
  async (seed) => {
    const home = directory()
    const first = await playSimulated(seed, join(home, 'first'))
    expect(first.offences).toEqual([])
    expect(first.counts.calls).toBeGreaterThan(20)
    const kinds = new Set<string>()
    const hook = createHook({ init: (_, kind) => void kinds.add(kind) }).enable()
    onTestFinished(() => void hook.disable())
    expect(await playSimulated(seed, join(home, 'second'))).toEqual(first)
    hook.disable()
    // What goes on by itself until it is done, what is done when it is made, and the loop's own immediates.
    const byItself = ['PROMISE', 'TickObject', 'Microtask', 'STREAM_END_OF_STREAM']
    const seen = [...byItself, 'RANDOMBYTESREQUEST', 'Immediate']
    expect([...kinds].filter((kind) => !seen.includes(kind))).toEqual([])
  },
)

test('a process that stands still takes nothing in, and sends nothing, until it goes on', async () => {
  const time = simulation()
  const seen: [string, number][] = []
  const work = async () => {
    await time.server.sleep(10)
    seen.push(['the server answers', time.nowMs])
    await time.awake()
    seen.push(['the client sees it', time.nowMs])
    await time.client.sleep(5)
    seen.push(['the client has waited', time.nowMs])
  }
  time.freeze(1000)
  await time.until(work())
  expect(seen).toEqual([
    ['the server answers', 10],
    ['the client sees it', 1000],
    ['the client has waited', 1005],
  ])
})

test('no time passes while files are read or timers could go on', async () => {
  const time = simulation()
  const path = join(directory(), 'stale.csv')
  writeFileSync(path, 'conversation_id\n66f2a91c4be07d3f5c1e0001\n')
  const at: number[] = []
  const work = async () => {
    let text = ''
    for await (const chunk of fs.createReadStream(path)) text += chunk
    expect(text).toBe(readFileSync(path, 'utf8'))
    at.push(time.nowMs)
    await new Promise((resolve) => setTimeout(resolve, 300))
    at.push(time.nowMs)
  }
  // Somebody else waits for less.
  time.plan(1, () => at.push(time.nowMs))
  await time.until(work())
  expect(at).toEqual([0, 1, 300])
})

test('what is looked at again and again is looked at once more after something has happened, not in between', async () => {
  const time = simulation()
  const ticks: number[] = []
  setInterval(() => ticks.push(time.nowMs), 250)
  const work = async () => {
    await time.client.sleep(1100)
    await time.client.sleep(100_000)
  }
  await time.until(work())
  expect(ticks).toEqual([250, 1250])
})

test('a run that waits for nothing, or for days, hangs', async () => {
  const time = simulation()
  await expect(time.until(new Promise(() => {}))).rejects.toThrow(new Hang(false))
  const forEver = async () => {
    for (;;) await time.client.sleep(3_600_000)
  }
  await expect(time.until(forEver())).rejects.toThrow(new Hang(true))
})
