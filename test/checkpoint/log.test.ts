import { execFileSync } from 'node:child_process'
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { firstHead, Log, LogWriteError } from '../../src/checkpoint/log.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import { chainedLines, headOf } from './chain.js'

/** The disk, as slow and as broken as a test wants it. */
const disk = vi.hoisted(() => ({
  /** Syncs under way that wait for the test to let them end. */
  held: null as (() => void)[] | null,
  fails: false,
}))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  return {
    ...fs,
    fdatasync(file: number, done: (error: NodeJS.ErrnoException | null) => void) {
      if (disk.fails) setImmediate(done, new Error('EIO: i/o error, fdatasync'))
      else if (disk.held) disk.held.push(() => fs.fdatasync(file, done))
      else fs.fdatasync(file, done)
    },
  }
})

let directory: string
let path: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-log-'))
})
afterAll(() => rmSync(directory, { recursive: true }))
beforeEach(() => {
  path = join(directory, 'checkpoint.jsonl')
})
afterEach(() => {
  disk.held = null
  disk.fails = false
  rmSync(path, { force: true })
})

const open = () => new Log(path, 0, firstHead)

/** Whether a promise has resolved, after all that can go on has gone on. */
function watch(promise: Promise<void>): { isDone: boolean } {
  const watched = { isDone: false }
  promise.then(() => {
    watched.isDone = true
  })
  return watched
}
const soon = { timeout: 10_000 }
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('each line names the SHA-256 of the line before it, its line end included', async () => {
  const log = open()
  for (const id of ['66f2a91c', 'Grüße', 'a"b\nc']) log.add({ id })
  await log.sync()
  expect(chainedLines(path).map(({ id }) => id)).toEqual(['66f2a91c', 'Grüße', 'a"b\nc'])
  expect(log.head).toBe(headOf(path))
  log.close()
})

test('a log that is opened again goes on with the chain', async () => {
  const first = open()
  first.add({ n: 0 })
  await first.sync()
  first.close()
  const again = new Log(path, statSync(path).size, first.head)
  again.add({ n: 1 })
  await again.sync()
  again.close()
  expect(chainedLines(path).map(({ n }) => n)).toEqual([0, 1])
})

test('what lies behind the whole lines is cut off before the next line', async () => {
  const first = open()
  first.add({ n: 0 })
  first.flush()
  first.close()
  const bytes = statSync(path).size
  appendFileSync(path, '{"n":1,"sta')
  const again = new Log(path, bytes, first.head)
  expect(statSync(path).size).toBe(bytes)
  again.add({ n: 1 })
  again.flush()
  again.close()
  expect(chainedLines(path).map(({ n }) => n)).toEqual([0, 1])
})

test('others may not read the file', () => {
  open().close()
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

test('lines wait for one that matters, or until there are many', () => {
  const log = open()
  log.add({ n: 0 })
  expect(statSync(path).size).toBe(0)
  log.flush()
  expect(chainedLines(path)).toHaveLength(1)
  for (let n = 1; n < 2000; n++) log.add({ n })
  expect(chainedLines(path).length).toBeGreaterThan(500)
  log.flush()
  expect(chainedLines(path)).toHaveLength(2000)
  log.close()
})

describe('a sync', () => {
  test('resolves only when a sync that began after the line was written has ended', async () => {
    disk.held = []
    const log = open()
    log.add({ n: 0 })
    const first = watch(log.sync())
    await settle()
    expect(readFileSync(path, 'utf8')).toContain('"n":0')
    log.add({ n: 1 })
    const second = watch(log.sync())
    disk.held.shift()!()
    await vi.waitFor(() => expect(first.isDone).toBe(true), soon)
    await vi.waitFor(() => expect(disk.held).toHaveLength(1), soon)
    expect(second.isDone).toBe(false)
    expect(readFileSync(path, 'utf8')).toContain('"n":1')
    disk.held.shift()!()
    await vi.waitFor(() => expect(second.isDone).toBe(true), soon)
    log.close()
  })

  test('is shared by all who come while another is under way', async () => {
    disk.held = []
    const log = open()
    const syncs = Array.from({ length: 32 }, (_, n) => {
      log.add({ n })
      return watch(log.sync())
    })
    const areAllDone = () => syncs.every(({ isDone }) => isDone)
    let rounds = 0
    for (; !areAllDone(); rounds++) {
      await vi.waitFor(() => expect(disk.held).toHaveLength(1), soon)
      disk.held.shift()!()
      await vi.waitFor(() => expect(areAllDone() || disk.held?.length === 1).toBe(true), soon)
    }
    expect(rounds).toBe(2)
    expect(chainedLines(path)).toHaveLength(32)
    log.close()
  })
})

describe('a failure', () => {
  test('of a sync is final: what shared it, what waits and what comes later all fail alike', async () => {
    const log = open()
    log.add({ n: 0 })
    await log.sync()
    disk.fails = true
    log.add({ n: 1 })
    const first = log.sync()
    log.add({ n: 2 })
    const second = log.sync()
    await expect(first).rejects.toThrow(LogWriteError)
    await expect(first).rejects.toThrow(`cannot write ${path}: EIO: i/o error, fdatasync`)
    await expect(second).rejects.toThrow(LogWriteError)
    disk.fails = false
    expect(() => log.add({ n: 3 })).toThrow(LogWriteError)
    expect(() => log.flush()).toThrow(LogWriteError)
    await expect(log.sync()).rejects.toThrow(LogWriteError)
    log.close()
    expect(chainedLines(path).map(({ n }) => n)).toEqual([0, 1])
    expect(log.head, 'what was never written has no part in it').toBe(headOf(path))
  })

  test.skipIf(process.platform === 'win32')(
    'for want of space cuts off what was half written, and the log can be gone on with when there is space again',
    async () => {
      const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')
      const child = join(import.meta.dirname, 'log-process.ts')
      // No file may grow beyond eight blocks: the kernel writes a part of the line that passes the border.
      const script = `ulimit -f 8; exec "${process.execPath}" "${jiti}" "${child}" "${path}"`
      const told = JSON.parse(execFileSync('bash', ['-c', script], { encoding: 'utf8' }))
      expect(told.errors).toEqual(
        Array(4).fill(expect.stringMatching(/^LogWriteError: cannot write .*EFBIG/)),
      )
      expect(told.durable).toBeGreaterThan(10)
      expect(chainedLines(path).map(({ n }) => n)).toEqual(Array.from({ length: told.durable }, (_, n) => n))
      const { bytes, head } = readCheckpoint(path)
      expect(bytes).toBe(statSync(path).size)
      const again = new Log(path, bytes, head)
      again.add({ n: told.durable })
      await again.sync()
      again.close()
      expect(chainedLines(path)).toHaveLength(told.durable + 1)
    },
  )
})
