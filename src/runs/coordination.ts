import type { RunFile } from '../checkpoint/run-file.js'
import { openFileLedger } from '../pacing/file.js'
import { type Ledger, withUnavailabilityTimeout } from '../pacing/ledger.js'
import { openRedisLedger } from '../pacing/redis.js'
import type { Clock } from '../system/clock.js'
import { connectRedis } from '../system/redis.js'
import type { LockHolder } from './lock-file.js'
import { type RunLocks, takeRunLocks } from './locks.js'
import { takeRedisRunLocks } from './redis-lock.js'

export interface CoordinationOptions {
  /** Of this host: ledger, locks and memories. */
  stateDirectory: string
  /** Of a Redis that hosts share; null without. */
  redisUrl: string | null
  /** How long Redis may be away in the middle of a run. */
  redisTimeoutMs: number
  clock: Clock
}

/** What runs that call the same instance have in common: on one host by files, on several by Redis. */
export interface Coordination {
  readonly stateDirectory: string
  /** Who asks it for a slot gets none while Redis is away, and a `LedgerLostError` when that lasts for too long. */
  openLedger(instance: string): Promise<Ledger>
  /** Takes what a process must hold to work on a run, or says who holds it. */
  lockRun(wanted: WantedRun): Promise<RunLockAttempt>
  close(): Promise<void>
}

/** A new run has these before it has its run.json. */
export type WantedRun = Omit<RunLocks, 'stateDirectory'> & Pick<RunFile, 'run' | 'startedAt'>

export type RunLockAttempt = { lock: RunLock } | { lock: null; holder: LockHolder }

export interface RunLock {
  /** False while somebody else may hold it: this process stood still, or Redis is away. */
  isHeld(): boolean
  /** Somebody else holds it now, so nothing may go on. Tells the one who asked last. */
  whenLost(tell: (holder: LockHolder) => void): void
  release(): Promise<void>
}

/** Throws a UsageError when Redis is named and cannot be used. */
export async function openCoordination(options: CoordinationOptions): Promise<Coordination> {
  const { stateDirectory, redisUrl, clock } = options
  const redis = redisUrl === null ? null : await connectRedis(redisUrl)

  async function lockRun(wanted: WantedRun): Promise<RunLockAttempt> {
    const here = takeRunLocks({ ...wanted, stateDirectory })
    if (here.lock === null) return here
    let tell: (holder: LockHolder) => void = () => {}
    const onLost = (holder: LockHolder) => tell(holder)
    const directory = wanted.directory.path
    const everywhere =
      redis &&
      (await takeRedisRunLocks({ connection: redis, clock, run: wanted, directory, onLost }).catch(giveBack))
    if (everywhere?.lock === null) {
      here.lock.release()
      return everywhere
    }
    return {
      lock: {
        isHeld: () => everywhere?.lock.isHeld() ?? true,
        whenLost(to) {
          tell = to
        },
        async release() {
          await everywhere?.lock.release()
          here.lock.release()
        },
      },
    }

    function giveBack(error: unknown): never {
      here.lock?.release()
      throw error
    }
  }

  return {
    stateDirectory,
    lockRun,
    openLedger: async (instance) =>
      redis === null
        ? openFileLedger({ directory: stateDirectory, instance, clock })
        : withUnavailabilityTimeout(
            await openRedisLedger({ connection: redis, instance, clock }),
            clock,
            options.redisTimeoutMs,
          ),
    close: async () => redis?.close(),
  }
}
