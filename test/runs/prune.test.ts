import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { listRuns, runDirectory, runLockName, writeRunFile } from '../../src/checkpoint/directory.js'
import type { EndEvent } from '../../src/checkpoint/events.js'
import { firstHead } from '../../src/checkpoint/log.js'
import { takeLock } from '../../src/runs/lock-file.js'
import { oldRuns, removeRun, sweepPruned } from '../../src/runs/prune.js'
import { defaultSettings } from '../../src/settings/run-settings.js'

const day = 86_400_000
const now = Date.parse('2026-11-22T12:00:00.000Z')
const daysAgo = (days: number) => new Date(now - days * day).toISOString()

let runs: string
beforeEach(() => {
  runs = mkdtempSync(join(tmpdir(), 'ada-bulk-prune-'))
  onTestFinished(() => rmSync(runs, { recursive: true, force: true }))
})

/** A run that ended so many days ago; null: its process died then. */
async function leaveRun(
  name: string,
  days: number,
  end: Pick<EndEvent, 'event' | 'exitCode'> | null,
  retryOf: string | null = null,
) {
  const directory = runDirectory(join(runs, name))
  mkdirSync(directory.path)
  writeRunFile(directory, {
    version: 1,
    run: name,
    job: 'end-conversations',
    jobFlags: {},
    instance: 'https://acme.ada.support',
    isSandbox: false,
    isParallel: false,
    settings: defaultSettings({ operation: { limits: [] } }),
    input: [],
    hold: [],
    plan: { read: 0, calls: 0 },
    live: null,
    retryOf,
    adaBulk: '0.1.0',
    node: 'v20.19.0',
    startedAt: daysAgo(days + 1),
    by: 'kim',
    host: 'ops',
  })
  const checkpoint = new Checkpoint(directory.checkpoint, { bytes: 0, head: firstHead })
  if (end !== null) await checkpoint.record({ ...end, at: daysAgo(days) } as EndEvent)
  await checkpoint.close()
  utimesSync(directory.checkpoint, new Date(daysAgo(days)), new Date(daysAgo(days)))
  return directory
}

const finished = { event: 'finished', exitCode: 0 } as const
const stopped = { event: 'stopped', exitCode: 75, because: '--max-items 1 reached' } as const

const old = (isUnfinishedTaken = false, stateDirectory = '/nowhere') =>
  oldRuns(runs, { beforeMs: now - 400 * day, isUnfinishedTaken, stateDirectory })
const going = (...args: Parameters<typeof old>) =>
  old(...args)
    .filter(({ keptBecause }) => keptBecause === null)
    .map(({ run }) => run)

test('runs that ended long enough ago go, the oldest first; what began long ago and ended lately stays', async () => {
  await leaveRun('b', 401, finished)
  await leaveRun('a', 900, { event: 'finished', exitCode: 3 })
  await leaveRun('c', 399.5, finished)
  expect(old()).toMatchObject([
    { run: 'a', directory: join(runs, 'a'), state: 'finished', endedAt: daysAgo(900), keptBecause: null },
    { run: 'b', bytes: expect.any(Number) },
  ])
  expect(old()[0]!.bytes).toBeGreaterThan(500)
})

test('what can be resumed stays, unless it is asked for', async () => {
  await leaveRun('stopped', 500, stopped)
  await leaveRun('died', 500, null)
  expect(old().map(({ keptBecause }) => keptBecause)).toEqual(
    Array(2).fill(expect.stringMatching(/not finished.*--unfinished/)),
  )
  expect(going(true).sort()).toEqual(['died', 'stopped'])
})

test('a run at work stays in any case, also one that begins to work in the last moment', async () => {
  const { path } = await leaveRun('died', 500, null)
  const [candidate] = old(true)
  const { lock } = takeLock(path, runLockName, path)
  expect(old(true)).toMatchObject([{ state: 'running', keptBecause: expect.stringMatching(/at work/) }])
  expect(removeRun(candidate!)).toBe(false)
  expect(existsSync(join(path, 'run.json'))).toBe(true)
  lock!.release()
  expect(removeRun(candidate!)).toBe(true)
  expect(readdirSync(runs)).toEqual([])
})

test('a run stays while a retry of it is not finished', async () => {
  await leaveRun('first', 800, finished)
  await leaveRun('retried', 500, stopped, 'first')
  await leaveRun('second', 800, finished)
  await leaveRun('done', 500, finished, 'second')
  expect(going().sort()).toEqual(['done', 'second'])
  expect(old().find(({ run }) => run === 'first')).toMatchObject({
    keptBecause: 'a retry of it is not finished',
  })
})

test('what is damaged, or holds the state directory, stays', async () => {
  const { path } = await leaveRun('a', 500, finished)
  expect(going(false, join(path, 'state'))).toEqual([])
  expect(going(false, `${path}-state`)).toEqual(['a'])
  writeFileSync(join(path, 'run.json'), '{')
  expect(old()).toMatchObject([{ keptBecause: 'its run.json cannot be read' }])
})

test('a removal that was killed leaves no run behind, and the next one sweeps up', async () => {
  const { path } = await leaveRun('a', 500, finished)
  renameSync(path, join(runs, '.pruned-a'))
  expect(listRuns(runs)).toEqual([])
  expect(old()).toEqual([])
  sweepPruned(runs)
  expect(readdirSync(runs)).toEqual([])
})
