import { createHash, randomBytes } from 'node:crypto'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { thisProcess } from '../system/host.js'
import { type RedisConnection, RedisError } from '../system/redis.js'
import { holderSchema, type LockHolder } from './lock-file.js'
import { jobLockName } from './locks.js'

export type RedisLockAttempt = { lock: RedisLock } | { lock: null; holder: LockHolder }

export interface RedisLock {
  /** False when this process stood still, or Redis was away, for so long that somebody else may hold it now. */
  isHeld(): boolean
  release(): Promise<void>
}

export interface RedisLockOptions {
  connection: Pick<RedisConnection, 'script'>
  /** The same on all hosts. */
  name: string
  /** What the holder does: the run's directory. */
  run: string
  clock: Clock
  /** Somebody else holds the lock now: nothing may go on that needs it. */
  onLost: (holder: LockHolder) => void
  /** A holder that crashed holds the lock this long. */
  liveMs?: number
}

/** Takes the lock, or a further time to live; or gives its holder. A lock that is gone and free is taken again. */
const claimScript = `
  local holder = redis.call('GET', KEYS[1])
  if holder and holder ~= ARGV[1] then return holder end
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  return ''`

const releaseScript = `
  if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
  return ''`

const againMs = 1000

/**
 * Takes a lock that counts on all hosts that share this Redis, or says who holds it. It is a key that expires, renewed
 * long before that as long as its holder lives.
 */
export async function takeRedisLock(options: RedisLockOptions): Promise<RedisLockAttempt> {
  const { connection, clock, onLost, liveMs = 60_000 } = options
  const key = `ada-bulk:lock:{${options.name}}`
  const holder: LockHolder = {
    ...thisProcess(),
    since: new Date(clock.wallMs()).toISOString(),
    run: options.run,
  }
  const value = JSON.stringify({ ...holder, token: randomBytes(12).toString('hex') })
  const claimOnServer = connection.script('adaBulkClaim', claimScript, 1)
  const releaseOnServer = connection.script('adaBulkRelease', releaseScript, 1)
  const released = new AbortController()
  let heldUntilMs = Number.NEGATIVE_INFINITY

  /** Gives who holds it if that is not this process. */
  async function claim(): Promise<LockHolder | null> {
    const sentMs = clock.monotonicMs()
    const other = String(await claimOnServer(key, value, liveMs))
    if (other !== '') return holderIn(other, key)
    heldUntilMs = sentMs + liveMs
    return null
  }

  async function keep(): Promise<void> {
    let pauseMs = liveMs / 3
    while (await pausing(clock, pauseMs, released.signal)) {
      try {
        const other = await claim()
        if (other !== null) {
          heldUntilMs = Number.NEGATIVE_INFINITY
          return onLost(other)
        }
        pauseMs = liveMs / 3
      } catch (error) {
        if (!(error instanceof RedisError)) throw error
        pauseMs = againMs
      }
    }
  }

  const other = await claim().catch(refuse)
  if (other !== null) return { lock: null, holder: other }
  const keeping = keep()
  return {
    lock: {
      isHeld: () => clock.monotonicMs() < heldUntilMs,
      async release() {
        released.abort()
        heldUntilMs = Number.NEGATIVE_INFINITY
        // Else a renewal under way might take it again.
        await keeping
        await releaseOnServer(key, value).catch((error) => {
          // Then it expires.
          if (!(error instanceof RedisError)) throw error
        })
      },
    },
  }
}

function holderIn(text: string, key: string): LockHolder {
  try {
    return holderSchema.parse(JSON.parse(text))
  } catch {
    throw new RedisError(
      `Redis holds something under ${key} that is no lock of ours. See what it is, and remove it.`,
    )
  }
}

/** False when the signal was aborted. */
async function pausing(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await clock.sleep(ms, signal)
    return true
  } catch (error) {
    if (signal.aborted) return false
    throw error
  }
}

function refuse(error: unknown): never {
  throw error instanceof RedisError ? new UsageError(error.message) : error
}

export interface RedisRunLocks {
  connection: RedisConnection
  clock: Clock
  /** Its directory may have another path on each host, so it is known by its name and start. */
  run: Pick<RunFile, 'run' | 'startedAt' | 'job' | 'instance' | 'isParallel'>
  directory: string
  onLost: (holder: LockHolder) => void
}

/** What `takeRunLocks` takes on this host, for all hosts: the job on its instance, and the run. */
export async function takeRedisRunLocks(wanted: RedisRunLocks): Promise<RedisLockAttempt> {
  const { run, directory } = wanted
  const ofRun = createHash('sha256').update(`${run.run}\n${run.startedAt}`).digest('hex').slice(0, 12)
  const names = [
    ...(run.isParallel ? [] : [`job ${jobLockName(run.job, run.instance)}`]),
    `run ${run.run}-${ofRun}`,
  ]
  const locks: RedisLock[] = []
  const releaseAll = async () => {
    for (const lock of locks.reverse()) await lock.release()
  }
  try {
    for (const name of names) {
      const attempt = await takeRedisLock({ ...wanted, name, run: directory })
      if (attempt.lock === null) {
        await releaseAll()
        return attempt
      }
      locks.push(attempt.lock)
    }
  } catch (error) {
    await releaseAll()
    throw error
  }
  return { lock: { isHeld: () => locks.every((lock) => lock.isHeld()), release: releaseAll } }
}
