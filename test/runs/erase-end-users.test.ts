import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import eraseEndUsersJob from '../../jobs/erase-end-users.js'
import type { BatchOperation } from '../../src/index.js'
import { openScene, type Scene } from './erasing.js'

const emails = [
  'jane@example.com',
  'john@example.com',
  'nobody@example.com',
  'jane@example',
  'kim@example.com',
]
const outcomes = [
  'jane@example.com erased',
  'john@example.com erased',
  'nobody@example.com no_such_user',
  'jane@example rejected',
  'kim@example.com erased',
]

/** The operation with smaller batches. */
function inBatchesOf(itemsMax: number) {
  const small = (operation: BatchOperation): BatchOperation => ({
    ...operation,
    itemsMax,
    withFlags: (flags) => small(operation.withFlags(flags)),
  })
  return { ...eraseEndUsersJob, operation: small(eraseEndUsersJob.operation as BatchOperation) }
}

test('every identifier gets the outcome that the job says, in batches of what the API takes', async () => {
  const scene = await openScene(emails)
  const summary = await scene.erase({ job: inBatchesOf(2) })
  expect(summary).toMatchObject({ exitCode: 3, totals: { read: 5, succeeded: 4, failed: 1, left: 0 } })
  expect(scene.report()).toEqual(outcomes)
  expect(scene.sandbox.state.deletions.count).toBe(3)
})

describe('a crash', () => {
  test('behind any line of the checkpoint: nobody is forgotten, and no batch becomes another job', async () => {
    const scene = await openScene(emails)
    const job = inBatchesOf(3)
    await scene.erase({ job })
    const jobs = scene.sandbox.state.deletions.count
    const keep = join(scene.directory, 'whole')
    cpSync(scene.run, keep, { recursive: true })
    const lines = scene.checkpoint()
    for (let cut = 0; cut < lines.length; cut++) {
      rmSync(scene.run, { recursive: true })
      cpSync(keep, scene.run, { recursive: true })
      scene.cutCheckpoint(cut, cut % 2 === 1)
      // What is remembered is written behind the note that the batch leaves: none of the first, none of the second.
      const isSent = lines.slice(0, cut).filter(({ did }) => did === 'sent').length === 2
      if (!isSent) rmSync(join(scene.directory, 'state', 'submitted'), { recursive: true })
      expect(await scene.erase({ job }), `behind line ${cut}`).toMatchObject({ totals: { left: 0 } })
      expect(scene.report(), `behind line ${cut}`).toEqual(outcomes)
    }
    expect(scene.sandbox.state.deletions.count).toBe(jobs)
    for (const email of ['jane@example.com', 'john@example.com', 'kim@example.com']) {
      expect(scene.sandbox.state.deletions.timesErased(email)).toBe(1)
    }
  })

  /** As after a kill with the batch on its way. */
  async function killedOnTheWay(): Promise<Scene> {
    const scene = await openScene(emails)
    await scene.erase()
    scene.cutCheckpoint(scene.checkpoint().findIndex(({ did }) => did === 'sent') + 1)
    return scene
  }

  test('more than a day ago, with the answer lost: left to a person, and not sent again', async () => {
    const scene = await killedOnTheWay()
    const path = join(scene.run, 'checkpoint.jsonl')
    const at = String(scene.checkpoint().at(-1)!.at)
    const before = new Date(Date.parse(at) - 86_400_000).toISOString()
    const { writeFileSync } = await import('node:fs')
    writeFileSync(
      path,
      readFileSync(path, 'utf8').replace(`"at":"${at}"`, `"at":"${before}"`).replaceAll(at, before),
    )
    const { arrived } = scene.sandbox.state
    expect(await scene.erase()).toMatchObject({ exitCode: 3, totals: { unknown: 5 } })
    expect(scene.sandbox.state.arrived).toBe(arrived)
  })

  test('and then a hold on one of the batch: the batch is not sent again', async () => {
    const scene = await openScene(emails)
    const hold = [scene.write('hold.csv', 'email', 'nobody-else@example.com')]
    await scene.erase({ hold })
    scene.cutCheckpoint(scene.checkpoint().findIndex(({ did }) => did === 'sent') + 1)
    scene.write('hold.csv', 'email', 'nobody-else@example.com', 'Kim@example.com')
    const { arrived } = scene.sandbox.state
    expect(await scene.erase({ hold })).toMatchObject({ totals: { unknown: 5 } })
    expect(scene.sandbox.state.arrived).toBe(arrived)
  })
})

describe('a job that is not over', () => {
  test('stops the run for now, and a resume asks on without handing anybody over again', async () => {
    const scene = await openScene(emails, { deletionMs: 86_400_000 })
    expect(await scene.erase()).toMatchObject({
      exitCode: 75,
      stoppedBecause: expect.stringMatching(/deletion jobs for 5 of the items are not over/),
      totals: { left: 5 },
    })
    const calls = () => scene.checkpoint().flatMap(({ did }) => did ?? [])
    expect(calls()).toEqual(['sent', 'accepted', 'asked'])
    expect(await scene.erase()).toMatchObject({ exitCode: 75, totals: { left: 5 } })
    expect(calls()).toEqual(['sent', 'accepted', 'asked', 'asked'])
  })

  test('is settled by what the job says, also of somebody who came onto hold meanwhile', async () => {
    const scene = await openScene(emails, { deletionMs: 300 })
    const hold = [scene.write('hold.csv', 'email', 'nobody-else@example.com')]
    expect(await scene.erase({ hold })).toMatchObject({ exitCode: 75 })
    scene.write('hold.csv', 'email', 'nobody-else@example.com', 'kim@example.com')
    expect(await scene.erase({ hold, pollForMs: 5_000 })).toMatchObject({ exitCode: 3 })
    expect(scene.report(), 'it was handed over before').toContain('kim@example.com erased')
  })
})

describe('a hold list', () => {
  test('is read again when the run is resumed, and its new fingerprint is on record', async () => {
    const scene = await openScene(emails)
    const hold = [scene.write('hold.csv', 'email', 'john@example.com')]
    const job = inBatchesOf(1)
    expect(await scene.erase({ job, hold, maxItems: 1 })).toMatchObject({ exitCode: 75 })
    scene.write('hold.csv', 'email', 'john@example.com', ' KIM@example.com')
    await scene.erase({ job, hold })
    expect(scene.report()).toMatchObject([
      'jane@example.com erased',
      'john@example.com on_hold',
      'nobody@example.com no_such_user',
      'jane@example rejected',
      'kim@example.com on_hold',
    ])
    const events = scene.checkpoint().filter(({ event }) => event === 'started' || event === 'resumed')
    const sums = events.map(({ hold }) => (hold as { sha256: string }[])[0]!.sha256)
    expect(sums[0]).not.toBe(sums[1])
    expect(JSON.parse(readFileSync(join(scene.run, 'run.json'), 'utf8')).hold[0].sha256).toBe(sums[0])
  })
})

describe('the last seven days', () => {
  test('are remembered over runs: one who was handed over is left for later, and cannot fail a job', async () => {
    const scene = await openScene(emails)
    await scene.erase()
    scene.write('more.csv', 'email', 'lee@example.com', 'JANE@example.com')
    const summary = await scene.erase({
      input: [join(scene.directory, 'more.csv')],
      directory: join(scene.directory, 'next'),
    })
    expect(summary).toMatchObject({ exitCode: 0, reasons: { erased: 1, submitted_recently: 1 } })
  })

  test('by somebody else make the whole job fail, and every identifier says so', async () => {
    const scene = await openScene(['jane@example.com', 'john@example.com'])
    const state = join(scene.directory, 'another-host')
    await scene.erase({ directory: join(scene.directory, 'theirs'), stateDirectory: state })
    expect(await scene.erase()).toMatchObject({ exitCode: 3, reasons: { job_failed: 2 } })
  })
})

test('a batch that is too large after all is halved until the API takes it', async () => {
  const many = Array.from({ length: 2100 }, (_, number) => `user${number}@example.com`)
  const scene = await openScene(many)
  expect(await scene.erase({ job: inBatchesOf(5000) })).toMatchObject({
    exitCode: 0,
    reasons: { erased: 2100 },
  })
  expect(scene.sandbox.state.deletions.count).toBe(4)
  const halved = scene.checkpoint().flatMap(({ did, n }) => (did === 'sent' ? [(n as number[]).length] : []))
  expect(halved.sort((a, b) => b - a)).toEqual([2100, 1050, 1050, 525, 525, 525, 525])
})

describe('pseudonyms', () => {
  const pseudonymKey = 'a key that is long enough'

  test('stand wherever an identifier would, and the run is resumed by them', async () => {
    const scene = await openScene([...emails, 'jane@example.com', ''])
    const job = inBatchesOf(2)
    await scene.erase({ job, pseudonymKey, maxItems: 2 })
    await scene.erase({ job, pseudonymKey })
    expect(scene.report().map((row) => row.split(' ')[1])).toEqual([
      'erased',
      'erased',
      'no_such_user',
      'rejected',
      'erased',
      'duplicate',
    ])
    expect(new Set(scene.report().map((row) => row.split(' ')[0])).size, 'Jane is Jane').toBe(5)
    for (const folder of [scene.run, join(scene.directory, 'state')]) {
      for (const name of readdirSync(folder, { recursive: true, withFileTypes: true })) {
        if (!name.isFile()) continue
        const text = readFileSync(join(name.parentPath, name.name), 'utf8')
        expect(text, name.name).not.toMatch(/jane|john|kim|nobody/i)
      }
    }
  })

  test('are not resumed with another key, nor without one', async () => {
    const scene = await openScene(emails)
    await scene.erase({ pseudonymKey, job: inBatchesOf(1), maxItems: 1 })
    await expect(scene.erase({ pseudonymKey: 'another key, as long' })).rejects.toThrow(/not the one/)
    await expect(scene.erase()).rejects.toThrow(/not the one/)
  })
})
