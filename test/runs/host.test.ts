import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { runDirectory } from '../../src/checkpoint/directory.js'
import { type Host, openHost, type WantedRun, type WhenBusy } from '../../src/runs/host.js'
import { startRedisForFile } from '../system/for-file.js'
import { hasRedis, type RedisServer } from '../system/server.js'

let server: RedisServer
startRedisForFile((started) => {
  server = started
})
afterEach(() => server.client.flushall())

const run = {
  run: 'end-conversations-2026-11-22T15-04-05',
  startedAt: '2026-11-22T15:04:05.123Z',
  job: 'end-conversations',
  instance: 'https://acme.ada.support',
  isParallel: false,
}
const later = { run: 'end-conversations-2026-11-22T16-00-00', startedAt: '2026-11-22T16:00:00.000Z' }

/** A host with a state directory of its own; returns who holds the locks that it does not get. */
async function openedHost(isShared: boolean) {
  const home = mkdtempSync(join(tmpdir(), 'ada-bulk-host-'))
  const host: Host = await openHost({
    stateDirectory: join(home, 'state'),
    redisUrl: isShared ? server.url : null,
    redisTimeoutMs: 1000,
  })
  onTestFinished(async () => {
    await host[Symbol.asyncDispose]()
    rmSync(home, { recursive: true, force: true })
  })
  return async (changed: Partial<WantedRun> = {}, directory = 'one') => {
    const whenBusy: WhenBusy = (holder) => {
      throw Object.assign(new Error('busy'), { holder })
    }
    const wanted = { ...run, directory: runDirectory(join(home, directory)), ...changed }
    try {
      const lock = await host.lockRun(wanted, whenBusy)
      onTestFinished(() => lock.release())
      return { lock, heldBy: null }
    } catch (error) {
      return { lock: null, heldBy: (error as { holder: { run: string } }).holder.run }
    }
  }
}

describe.runIf(hasRedis).each([
  ['on one host', false],
  ['on hosts that share a Redis', true],
])('the locks of a run, %s,', (_, isShared) => {
  const hosts = async () => {
    const one = await openedHost(isShared)
    return [one, isShared ? await openedHost(true) : one] as const
  }

  test('let one run of a job at a time work on an instance', async () => {
    const [one, other] = await hosts()
    expect((await one()).heldBy).toBeNull()
    expect((await other(later, 'two')).heldBy).toMatch(/one$/)
    expect((await other({ ...later, instance: 'https://other.ada.support' }, 'two')).heldBy).toBeNull()
  })

  test('let one process work on a run, wherever its directory lies', async () => {
    const [one, other] = await hosts()
    await one({ isParallel: true })
    expect((await other({ isParallel: true })).heldBy).toMatch(/one$/)
    expect((await other({ ...later, isParallel: true }, 'two')).heldBy).toBeNull()
  })

  test('are all free when one of them cannot be taken', async () => {
    const [one, other] = await hosts()
    const first = await one({ isParallel: true })
    expect((await other()).heldBy).toMatch(/one$/)
    await first.lock?.release()
    expect((await other(later, 'two')).heldBy).toBeNull()
  })
})

test('a run that waits begins when the lock is free', async () => {
  const home = mkdtempSync(join(tmpdir(), 'ada-bulk-host-'))
  onTestFinished(() => rmSync(home, { recursive: true, force: true }))
  await using host = await openHost({ stateDirectory: home, redisUrl: null, redisTimeoutMs: 1000 })
  const directory = runDirectory(join(home, 'run'))
  const first = await host.lockRun({ ...run, directory }, () => {})
  let calls = 0
  const second = host.lockRun({ ...run, directory }, () => {
    calls += 1
    void first.release()
  })
  await (await second).release()
  expect(calls).toBe(1)
})
