import { existsSync } from 'node:fs'
import { type RunDirectory, readRunFile, runDirectory } from '../checkpoint/directory.js'
import type { Summary } from '../checkpoint/summary.js'
import { directoryAt } from '../runs/create.js'
import { endUsersToErase, erasureJob, erasureOf, isErasing, writeEndUsers } from '../runs/follow-up.js'
import { loadJob } from '../runs/jobs.js'
import { loadRunFile } from '../runs/open.js'
import { defaultSettings } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import type { OldRunRequest, RunRequest } from './request.js'
import { outcomeText, relativePath } from './show.js'
import { exitCodeOf, type Terminal } from './terminal.js'

/** The second part of a sweep, which erases end users; null when there is none to start. */
export async function followUp(
  request: RunRequest,
  origin: string,
  summary: Summary,
  terminal: Terminal,
): Promise<RunRequest | null> {
  const directory = runDirectory(summary.directory)
  const sweep = readRunFile(directory)
  if (!isErasing(sweep)) return null
  const erasure = erasureOf(directory)
  // A new sweep never goes on with what an old one in its place has left.
  if ('file' in request.run && existsSync(erasure.runFile)) return resumeOf(request, request.run, erasure)
  const endUsers = await endUsersToErase(directory, sweep)
  if (typeof endUsers === 'string') {
    terminal.notice(endUsers)
    return null
  }
  // Who is asked about erasing wants to know what was ended.
  if (!request.isErasureConfirmed && !request.view.isQuiet) terminal.notice(outcomeText(summary))
  const job = await loadJob(erasureJob)
  const { caps, share, hours, concurrency, timeoutMs, attemptsMax, maxFailures, maxOutageMs } = sweep.settings
  const pace = { caps, share, hours, concurrency, timeoutMs, attemptsMax, maxFailures, maxOutageMs }
  return {
    ...request,
    origin,
    limits: { ...request.limits, maxItems: Number.POSITIVE_INFINITY },
    isConfirmed: request.isErasureConfirmed,
    run: {
      job,
      jobFlags: { 'identifier-type': 'end_user_id' },
      settings: { ...defaultSettings(job.job), ...pace, format: 'csv' },
      isSandbox: sweep.isSandbox,
      isParallel: false,
      hold: sweep.hold,
      retryOf: null,
      follows: sweep.run,
      pseudonyms: null,
      plan: null,
      newDirectory: () => directoryAt(erasure.path),
      input: async (place) => ({ files: [writeEndUsers(endUsers, place.directory)], live: null }),
    },
  }
}

function resumeOf(request: RunRequest, sweep: OldRunRequest, directory: RunDirectory): RunRequest {
  const file = loadRunFile(directory)
  const settings = request.withChanges(file.settings)
  return {
    ...request,
    origin: file.isSandbox ? null : file.instance,
    run: { ...sweep, directory, file: { ...file, settings } },
  }
}

/** What keeps the second part from starting is for a person to mend: the conversations stay ended. */
export function asNotErased(error: unknown, sweep: string): unknown {
  if (!(error instanceof UsageError) || exitCodeOf(error) !== 2) return error
  return new NotErased(
    `${error.message}\nThe conversations are ended, and nobody was erased. To go on with that: ada-bulk resume ${relativePath(sweep)}`,
  )
}

class NotErased extends UsageError {
  readonly exitCode = 4
}
