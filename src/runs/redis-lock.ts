import { randomBytes } from 'node:crypto'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { thisProcess } from '../system/host.js'
import { type RedisConnection, RedisError } from '../system/redis.js'
import { holderSchema, type LockHolder } from './lock-file.js'

export type RedisLockAttempt = { lock: RedisLock } | { lock: null; holder: LockHolder }

export interface RedisLock {
  /** False when this process was suspended, or Redis unreachable, for so long that another may hold it now. */
  isHeld(): boolean
  release(): Promise<void>
}

export interface RedisLockOptions {
  connection: Pick<RedisConnection, 'script'>
  /** The same on all hosts. */
  name: string
  /** The run's directory. */
  run: string
  clock: Clock
  /** Another process holds the lock now: whatever needs it must stop. */
  onLost: (holder: LockHolder) => void
  /** How long the lock of a crashed holder lasts. */
  liveMs?: number
}

/** Takes or renews the lock, or returns its holder. A lock that expired and is free is taken again. */
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
 * Takes a lock that counts on all hosts that share this Redis, or says who holds it. It is a key that expires; its
 * holder renews it long before that.
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

  /** Returns the holder if that is another process. */
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
        // A renewal in flight could take it again.
        await keeping
        await releaseOnServer(key, value).catch((error) => {
          // It expires.
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
