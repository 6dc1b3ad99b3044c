import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import { type RunDirectory, runLockName } from '../checkpoint/directory.js'
import { UsageError } from '../system/errors.js'
import { type Lock, type LockAttempt, type LockHolder, takeLock } from './lock-file.js'

export interface RunLocks {
  /** Of this host: where the locks of jobs lie. */
  stateDirectory: string
  job: string
  instance: string
  /** Allowed beside another run of the job. */
  isParallel: boolean
  directory: RunDirectory
}

export type RunLocksAttempt = { lock: Pick<Lock, 'release'> } | { lock: null; holder: LockHolder }

/**
 * Takes what a process must hold to work on a run: the job on its instance, so that one run of a job at a time works
 * there, and the run's own directory. Throws a UsageError when a directory cannot be written.
 */
export function takeRunLocks(wanted: RunLocks): RunLocksAttempt {
  const { stateDirectory, job, instance, directory } = wanted
  const ofJob = wanted.isParallel
    ? null
    : takeOrRefuse(
        join(stateDirectory, 'locks'),
        jobLockName(job, instance),
        directory.path,
        'ADA_BULK_STATE',
      )
  if (ofJob?.lock === null) return ofJob
  try {
    const ofRun = takeOrRefuse(directory.path, runLockName, directory.path, '--runs-dir or --run-dir')
    if (ofRun.lock === null) {
      ofJob?.lock.release()
      return ofRun
    }
    return {
      lock: {
        release() {
          ofRun.lock.release()
          ofJob?.lock.release()
        },
      },
    }
  } catch (error) {
    ofJob?.lock.release()
    throw error
  }
}

/** The same on every host, for jobs of ours; a user's own job is known by its path. */
export function jobLockName(job: string, instance: string): string {
  const hash = createHash('sha256').update(`${job}\n${instance}`).digest('hex').slice(0, 12)
  return `${basename(job)}-${hash}`
}

function takeOrRefuse(directory: string, name: string, run: string, setting: string): LockAttempt {
  try {
    return takeLock(directory, name, run)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`cannot write to ${directory} (${code}). Name a writable place with ${setting}.`)
  }
}
