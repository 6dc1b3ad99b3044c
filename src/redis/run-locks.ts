import { createHash } from 'node:crypto'
import type { LockHolder } from '../checkpoint/lock.js'
import type { Clock } from '../clock.js'
import type { RunFile } from '../run-file.js'
import { jobLockName } from '../run-locks.js'
import type { RedisConnection } from './connection.js'
import { type RedisLock, type RedisLockAttempt, takeRedisLock } from './lock.js'

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
