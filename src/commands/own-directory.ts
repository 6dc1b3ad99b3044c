import { existsSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { newRunName } from '../checkpoint/directory.js'
import { LogWriteError } from '../checkpoint/log.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory, syncDirectory } from '../system/files.js'

/** What the disk has against it is no bug. */
export function asUsageError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  const isOfDisk = error instanceof LogWriteError || (code !== undefined && /^E[A-Z]+$/.test(code))
  if (!(error instanceof Error) || !isOfDisk) return error
  return new UsageError(
    `cannot write to ${path}: ${message}. Nothing was sent. Make room, or name another place with --runs-dir or --run-dir.`,
  )
}

/** A directory of the run's own, made at once, so that two runs that begin in the same second get two. */
export function makeOwnDirectory(runsDirectory: string, job: string, at: Date): string {
  try {
    makeDirectory(runsDirectory)
    for (;;) {
      const name = newRunName(job, at, (taken) => existsSync(join(runsDirectory, taken)))
      const path = join(runsDirectory, name)
      if (made(path)) return path
    }
  } catch (error) {
    throw asUsageError(error, runsDirectory)
  }
}

function made(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 })
    syncDirectory(dirname(path))
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}
