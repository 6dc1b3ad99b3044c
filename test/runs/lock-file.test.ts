import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type Lock, type LockHolder, lockHolder, takeLock } from '../../src/runs/lock-file.js'
import { thisProcess } from '../../src/system/host.js'

/** What happens right before a process makes its lock file, as if it had been slow. */
const slow = vi.hoisted(() => ({ meanwhile: null as (() => void) | null }))

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>()
  return {
    ...fs,
    linkSync(from: string, to: string) {
      const { meanwhile } = slow
      slow.meanwhile = null
      meanwhile?.()
      fs.linkSync(from, to)
    },
  }
})

let directory: string
const locks: Lock[] = []
const children: ChildProcess[] = []
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-lock-'))
})
afterEach(async () => {
  vi.useRealTimers()
  for (const lock of locks.splice(0)) lock.release()
  for (const child of children.splice(0)) await kill(child)
  rmSync(directory, { recursive: true })
})

/** Takes the lock; null when somebody has it. */
function take(name = 'job', run = 'runs/mine'): Lock | null {
  const { lock } = takeLock(directory, name, run)
  if (lock) locks.push(lock)
  return lock
}

function start(...args: (string | number)[]): ChildProcess {
  const jiti = join(import.meta.dirname, '../../node_modules/jiti/lib/jiti-cli.mjs')
  const command = [jiti, join(import.meta.dirname, 'lock-process.ts'), ...args.map(String)]
  const child = spawn(process.execPath, command, { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

/** What a process tells next; it lives on. */
async function told<T>(child: ChildProcess): Promise<T> {
  const line = once(child.stdout!, 'data')
  const exit = once(child, 'exit').then(([code]) => expect.fail(`a process ended with ${code}`))
  return JSON.parse(String((await Promise.race([line, exit]))[0]))
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** Somebody else's lock, as it lies there after `ageMs`. */
function leaveLock(holder: Partial<LockHolder>, ageMs = 0, generation = 1): void {
  const path = join(directory, `job.${generation}`)
  const since = '2026-11-22T09:00:00.000Z'
  writeFileSync(path, `${JSON.stringify({ ...thisProcess(), since, run: 'runs/theirs', ...holder })}\n`)
  const touched = new Date(Date.now() - ageMs)
  utimesSync(path, touched, touched)
}

describe('a lock', () => {
  test('that is taken is told to the second taker: who, since when, for which run', () => {
    const beforeMs = Date.now()
    expect(take('job', 'runs/first')).not.toBeNull()
    const attempt = takeLock(directory, 'job', 'runs/second')
    expect(attempt).toEqual({
      lock: null,
      holder: { ...thisProcess(), since: expect.any(String), run: 'runs/first' },
    })
    expect(lockHolder(directory, 'job')).toMatchObject({
      pid: process.pid,
      host: hostname(),
      run: 'runs/first',
    })
    const since = Date.parse(lockHolder(directory, 'job')!.since)
    expect(since).toBeGreaterThanOrEqual(beforeMs)
    expect(since).toBeLessThanOrEqual(Date.now())
  })

  test('that is released can be taken again, and nobody holds it meanwhile', () => {
    for (let times = 0; times < 12; times++) {
      const lock = take()
      expect(lock).not.toBeNull()
      lock!.release()
      expect(lockHolder(directory, 'job')).toBeNull()
    }
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('is one of several in a directory, told apart though their names begin alike', () => {
    for (const name of ['job', 'job-a', 'job.a', 'job-10']) expect(take(name)).not.toBeNull()
    for (const name of ['job', 'job-a', 'job.a', 'job-10']) expect(take(name)).toBeNull()
    expect(lockHolder(directory, 'another')).toBeNull()
  })

  test('makes its directory, which is for its owner only', () => {
    const inner = join(directory, 'state', 'locks')
    locks.push(takeLock(inner, 'job', 'runs/mine').lock!)
    expect(statSync(inner).mode & 0o777).toBe(0o700)
    expect(statSync(join(inner, 'job.1')).mode & 0o777).toBe(0o600)
  })

  test('is held by nobody where there is no directory', () => {
    expect(lockHolder(join(directory, 'missing'), 'job')).toBeNull()
  })

  test('in a place that cannot be written is an error with a code', () => {
    writeFileSync(join(directory, 'file'), '')
    expect(() => takeLock(join(directory, 'file'), 'job', 'runs/mine')).toThrow(
      expect.objectContaining({ code: 'ENOTDIR' }),
    )
  })
})

describe('a holder', () => {
  test('that is killed holds nothing', async () => {
    const child = start('hold', directory)
    expect(await told(child)).toBe(true)
    expect(takeLock(directory, 'job', 'runs/mine')).toMatchObject({
      lock: null,
      holder: { pid: child.pid, run: 'runs/held' },
    })
    await kill(child)
    expect(lockHolder(directory, 'job')).toBeNull()
    expect(take()).not.toBeNull()
  })

  test.runIf(process.platform === 'linux')(
    'whose process number another process has by now holds nothing',
    () => {
      leaveLock({ startedAt: '1' })
      expect(take()).not.toBeNull()
    },
  )

  test('from before the last boot holds nothing, even if its process number is in use', () => {
    leaveLock({ boot: 'b7a3a1f0-0000-4000-8000-000000000000' })
    expect(take()).not.toBeNull()
  })

  const elsewhere = [
    ['on another host', { host: 'ops-2', boot: 'b7a3a1f0-0000-4000-8000-000000000000' }],
    ['in another container', { namespace: 'pid:[1]' }],
  ] as const

  test.each(elsewhere)('%s holds its lock as long as it touches it', (_, holder) => {
    leaveLock(holder, 110_000)
    expect(takeLock(directory, 'job', 'runs/mine')).toMatchObject({ lock: null, holder })
    leaveLock(holder, 130_000)
    expect(lockHolder(directory, 'job')).toBeNull()
    expect(take()).not.toBeNull()
  })

  test('of this host is asked for, not guessed by age', () => {
    leaveLock({}, 86_400_000)
    expect(take()).toBeNull()
  })

  test('touches its lock for those who cannot see it, until it lets go', () => {
    vi.useFakeTimers()
    const lock = take()!
    const path = join(directory, 'job.1')
    const age = () => {
      utimesSync(path, new Date(0), new Date(0))
      vi.advanceTimersByTime(60_000)
      return Date.now() - statSync(path).mtimeMs
    }
    expect(age()).toBeLessThan(30_000)
    lock.release()
    expect(age()).toBeGreaterThan(1_000_000)
  })

  test.each(['', 'not JSON', '{"pid":', 'released\n'])('that wrote %j holds nothing', (text) => {
    writeFileSync(join(directory, 'job.1'), text)
    expect(lockHolder(directory, 'job')).toBeNull()
    expect(take()).not.toBeNull()
  })

  test('of an older generation does not count', () => {
    leaveLock({ run: 'runs/old' }, 0, 9)
    leaveLock({ run: 'runs/new' }, 0, 10)
    expect(lockHolder(directory, 'job')?.run).toBe('runs/new')
    writeFileSync(join(directory, 'job.10'), 'released\n')
    expect(lockHolder(directory, 'job')).toBeNull()
    expect(take()).not.toBeNull()
    expect(readdirSync(directory)).toEqual(['job.11'])
  })
})

describe('of processes that race', () => {
  test('the slow one is not let in by a lock file that is no longer there', () => {
    take()!.release()
    slow.meanwhile = () => {
      take('job', 'runs/second')!.release()
      take('job', 'runs/third')
    }
    expect(takeLock(directory, 'job', 'runs/slow')).toMatchObject({
      lock: null,
      holder: { run: 'runs/third' },
    })
    expect(readdirSync(directory)).toEqual(['job.3'])
  })

  test('the slow one gets in when the others have let go by then', () => {
    take()!.release()
    slow.meanwhile = () => {
      take('job', 'runs/second')!.release()
      take('job', 'runs/third')!.release()
    }
    expect(take('job', 'runs/slow')).not.toBeNull()
    expect(lockHolder(directory, 'job')?.run).toBe('runs/slow')
  })

  /** Starts processes that begin at the same moment, and gives what each tells. */
  async function race<T>(
    does: string,
    processes: number,
    rounds: number,
  ): Promise<{ pid: number; result: T }[]> {
    const racers = Array.from({ length: processes }, () => start(does, directory, rounds))
    await Promise.all(racers.map(told))
    const results = Promise.all(racers.map((racer) => told<T>(racer)))
    for (const racer of racers) racer.stdin!.write(String(Date.now() + 50))
    return (await results).map((result, index) => ({ pid: racers[index]!.pid!, result }))
  }

  test('for a stale lock, exactly one gets in, and the other is told who', async () => {
    const rounds = 300
    for (let round = 0; round < rounds; round++) {
      mkdirSync(join(directory, String(round)))
      const holder = { ...thisProcess(), startedAt: '1', since: '2026-11-22T09:00:00.000Z', run: 'runs/dead' }
      // Some are dead, some released, some were never taken.
      if (round % 3 < 2) {
        writeFileSync(
          join(directory, String(round), 'job.7'),
          round % 3 === 0 ? JSON.stringify(holder) : 'released\n',
        )
      }
    }
    const [one, other] = await race<(number | null)[]>('race', 2, rounds)
    const results = one!.result.map((_, round) => [one!.result[round], other!.result[round]])
    for (const [round, result] of results.entries()) {
      expect(
        [
          [null, one!.pid],
          [other!.pid, null],
        ],
        `round ${round}`,
      ).toContainEqual(result)
    }
    // Both were there: neither came first every time.
    expect(new Set(results.map(([result]) => result)).size).toBe(2)
  })

  test('for one lock that is taken and let go, no two are ever inside', async () => {
    const turns = 100
    const results = await race<{ turns: number; refusals: number }>('takeTurns', 3, turns)
    expect(results.map(({ result }) => result.turns)).toEqual([turns, turns, turns])
    expect(results.reduce((sum, { result }) => sum + result.refusals, 0)).toBeGreaterThan(0)
    expect(readdirSync(directory)).toHaveLength(1)
  })
})
