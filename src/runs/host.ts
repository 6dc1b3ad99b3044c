import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type RunDirectory, runLockName } from '../checkpoint/directory.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { AnyOperation } from '../job.js'
import { callsAgoMs, openFileLedger } from '../pacing/file.js'
import { type Ledger, withUnavailabilityTimeout } from '../pacing/ledger.js'
import { openRedisLedger } from '../pacing/redis.js'
import { type Clock, systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { connectRedis, type RedisConnection } from '../system/redis.js'
import { type LockAttempt, type LockHolder, takeLock } from './lock-file.js'
import { takeRedisLock } from './redis-lock.js'

export interface HostOptions {
  /** Ledgers, locks and sync states of this host's runs. */
  stateDirectory: string
  /** A Redis that several hosts share; null without. */
  redisUrl: string | null
  /** How long Redis may be unreachable while a run executes. */
  redisTimeoutMs: number
}

/** What runs that call the same instance share: through files on one host, through Redis on several. */
export interface Host extends AsyncDisposable {
  readonly stateDirectory: string
  /** Grants no permit while Redis is unreachable, and throws a `LedgerLostError` when that lasts too long. */
  openLedger(name: string): Promise<Ledger>
  /**
   * Takes the locks that a process needs to work on a run. Calls `whenBusy` once when another process holds them, then
   * waits until they are free; `whenBusy` throws where nobody wants to wait.
   */
  lockRun(wanted: WantedRun, whenBusy: WhenBusy): Promise<RunLock>
}

/** Known before run.json is written. */
export type WantedRun = Pick<RunFile, 'run' | 'startedAt' | 'job' | 'instance' | 'isParallel'> & {
  directory: RunDirectory
}

export type WhenBusy = (holder: LockHolder) => void

export interface RunLock {
  /** False while another process may hold it: this one was suspended, or Redis is unreachable. */
  isHeld(): boolean
  /** Another process holds it now, so the run must stop. Calls the last listener only. */
  whenLost(listener: (holder: LockHolder) => void): void
  release(): Promise<void>
}

const pollEveryMs = 1000

/** Throws a UsageError when Redis is named and cannot be used. */
export async function openHost(options: HostOptions, clock: Clock = systemClock): Promise<Host> {
  const { stateDirectory, redisUrl, redisTimeoutMs } = options
  const redis = redisUrl === null ? null : await connectRedis(redisUrl)
  return {
    stateDirectory,
    async lockRun(wanted, whenBusy) {
      for (let isFirst = true; ; isFirst = false) {
        const attempt = await tryLocks(wanted, stateDirectory, redis, clock)
        if (attempt.lock !== null) return attempt.lock
        if (isFirst) whenBusy(attempt.holder)
        await delay(pollEveryMs)
      }
    },
    openLedger: async (instance) =>
      redis === null
        ? openFileLedger({ directory: stateDirectory, instance, clock })
        : withUnavailabilityTimeout(
            await openRedisLedger({ connection: redis, instance, clock }),
            clock,
            redisTimeoutMs,
          ),
    [Symbol.asyncDispose]: async () => redis?.close(),
  }
}

/** The name of the ledger that all calls of an operation to an instance share. */
export function ledgerName(origin: string, { area }: Pick<AnyOperation, 'area'>): string {
  return area === undefined ? origin : `${origin}/${area}`
}

/**
 * How long ago this host's calls to the instance were answered, the oldest first, for a forecast. Empty when the ledger
 * cannot be read: the forecast is then at most one window too early.
 */
export function recentCallsAgoMs(
  stateDirectory: string,
  origin: string,
  operation: Pick<AnyOperation, 'area'>,
): number[] {
  try {
    return callsAgoMs({
      directory: stateDirectory,
      instance: ledgerName(origin, operation),
      clock: systemClock,
    })
  } catch {
    return []
  }
}

type Attempt =
  | { lock: { isHeld?(): boolean; release(): void | Promise<void> } }
  | { lock: null; holder: LockHolder }

/** The job on its instance, so that one run of a job works there at a time, then the run; here, then on all hosts. */
async function tryLocks(
  wanted: WantedRun,
  stateDirectory: string,
  redis: RedisConnection | null,
  clock: Clock,
): Promise<{ lock: RunLock } | { lock: null; holder: LockHolder }> {
  const { directory, run, startedAt, isParallel } = wanted
  const { path } = directory
  const jobName = jobLockName(wanted)
  // The same directory may have another path on each host.
  const runName = `run ${run}-${shortHash(`${run}\n${startedAt}`)}`
  let listener: (holder: LockHolder) => void = () => {}
  const onLost = (holder: LockHolder) => listener(holder)
  const onAllHosts = (name: string) => () =>
    takeRedisLock({ connection: redis!, clock, name, run: path, onLost })
  const takers: (() => Attempt | Promise<Attempt>)[] = []
  if (!isParallel)
    takers.push(() => takeOrRefuse(join(stateDirectory, 'locks'), jobName, path, 'ADA_BULK_STATE', onLost))
  takers.push(() => takeOrRefuse(path, runLockName, path, '--runs-dir or --run-dir', onLost))
  if (redis !== null && !isParallel) takers.push(onAllHosts(`job ${jobName}`))
  if (redis !== null) takers.push(onAllHosts(runName))

  const taken: Exclude<Attempt['lock'], null>[] = []
  const release = async () => {
    for (const lock of taken.splice(0).reverse()) await lock.release()
  }
  try {
    for (const take of takers) {
      const attempt = await take()
      if (attempt.lock !== null) taken.push(attempt.lock)
      else {
        await release()
        return attempt
      }
    }
  } catch (error) {
    await release()
    throw error
  }
  return {
    lock: {
      isHeld: () => taken.every((lock) => lock.isHeld?.() ?? true),
      whenLost(next) {
        listener = next
      },
      release,
    },
  }
}

/** The same on every host for a job of ours; a user's own job is known by its path. */
function jobLockName({ job, instance }: Pick<WantedRun, 'job' | 'instance'>): string {
  return `${basename(job)}-${shortHash(`${job}\n${instance}`)}`
}

function shortHash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12)
}

function takeOrRefuse(
  directory: string,
  name: string,
  run: string,
  setting: string,
  onLost: (holder: LockHolder) => void,
): LockAttempt {
  try {
    return takeLock(directory, name, run, onLost)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`cannot write to ${directory} (${code}). Name a writable place with ${setting}.`)
  }
}
