import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { Log } from '../../src/checkpoint/log.js'
import { type LockHolder, takeLock } from '../../src/runs/lock-file.js'

function scene() {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-lost-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}

test('a holder finds out that another has taken over, and takes nothing back', () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const directory = scene()
  const lost: LockHolder[] = []
  const { lock } = takeLock(directory, 'lock', 'run', (holder) => lost.push(holder))
  expect(lock!.isHeld()).toBe(true)
  const mine = readFileSync(join(directory, 'lock.1'), 'utf8')
  rmSync(join(directory, 'lock.1'))
  writeFileSync(join(directory, 'lock.2'), mine)
  vi.advanceTimersByTime(1500)
  expect(lock!.isHeld()).toBe(false)
  expect(lost).toMatchObject([{ pid: process.pid }])
  lock!.release()
  expect(readdirSync(directory)).toEqual(['lock.2'])
  expect(readFileSync(join(directory, 'lock.2'), 'utf8')).toBe(mine)
})

test('a log that another process writes now gets no line, and is not cut', async () => {
  const path = join(scene(), 'checkpoint.jsonl')
  let isOurs = true
  const log = new Log(path, 0, '0'.repeat(64), () => isOurs)
  log.add({ n: 1 })
  await log.sync()
  writeFileSync(path, 'of another\n', { flag: 'a' })
  const before = readFileSync(path, 'utf8')
  isOurs = false
  log.add({ n: 2 })
  expect(() => log.flush()).toThrow('another process writes')
  expect(() => log.add({ n: 3 })).toThrow('another process writes')
  log.close()
  expect(readFileSync(path, 'utf8')).toBe(before)
})
