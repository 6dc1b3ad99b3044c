import { join } from 'node:path'
import { type RunDirectory, readRunFile, runDirectory } from '../checkpoint/directory.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { conversationsColumn } from '../filters/hold.js'
import { leaveColumn } from '../filters/identifiers.js'
import type { Notifiers } from '../monitor/notifiers.js'
import { changedFiles } from '../runs/changed-input.js'
import type { Coordination } from '../runs/coordination.js'
import { type EndUser, endUsersBehind } from '../runs/end-users.js'
import { idRulesOf } from '../runs/id-rules.js'
import { loadJob } from '../runs/jobs.js'
import { findUnfinished, runState } from '../runs/state.js'
import { withEnvFile } from '../settings/environment.js'
import type { Flags } from '../settings/flags.js'
import { defaultSettings, stopLimits } from '../settings/run-settings.js'
import { openInput } from '../sources/input.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { writeFileAtomically } from '../system/files.js'
import { coordinated } from './coordinated.js'
import { beginNewRun } from './new-run.js'
import type { Shell } from './shell.js'
import { relativePath } from './summary-text.js'
import { telling } from './telling.js'

/** What a second run needs to know of the execution that it follows. */
export interface After {
  /** Of the run that has ended conversations. */
  directory: RunDirectory
  exitCode: number
  origin: string
  key: string
}

const eraseJob = 'erase-end-users'
const fileName = 'end-users.csv'

/** The run that erases lies beside the one that it follows. */
export function erasureOf(directory: RunDirectory): RunDirectory {
  return runDirectory(`${directory.path}-erasure`)
}

export function isErasing(run: Pick<RunFile, 'jobFlags'>): boolean {
  return run.jobFlags.erase === 'true'
}

/** Refuses at once where nobody can be asked: agreeing to end conversations is not agreeing to erase people. */
export function refuseErasingUnasked(flags: { 'yes-erase'?: boolean | undefined }, shell: Shell): void {
  if (flags['yes-erase'] || shell.isInteractive) return
  throw new UsageError(
    '--erase asks for itself, and there is no terminal to ask on: --yes is for the conversations only. Try it without --erase first, then say --yes-erase as well.',
  )
}

/**
 * After a sweep with `--erase` has come to its end, begins the run that erases. Returns the worse exit code. What keeps
 * that run from beginning is for a person: the conversations are ended all the same.
 */
export async function eraseAfter(after: After, flags: Flags, shell: Shell): Promise<number> {
  try {
    return await erase(after, flags, shell)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    const { path } = after.directory
    shell.notice(
      `ada-bulk: ${error.message}\nThe conversations are ended, and nobody was erased. To go on with that: ada-bulk resume ${relativePath(path)}`,
    )
    return worse(after.exitCode, 4)
  }
}

async function erase(after: After, flags: Flags, shell: Shell): Promise<number> {
  const { directory, exitCode } = after
  const sweep = readRunFile(directory)
  if (!isErasing(sweep)) return exitCode
  if (runState(directory).kind !== 'finished') {
    shell.notice('Nobody is erased before every conversation is settled: resume the run first.')
    return exitCode
  }
  const endUsers = await endUsersOf(directory, sweep)
  if (endUsers.length === 0) {
    shell.notice('Nothing was ended, so there is nobody to erase.')
    return exitCode
  }
  const job = await loadJob(eraseJob)
  const jobFlags = { 'identifier-type': 'end_user_id' }
  const { share, hours, concurrency, timeoutMs, attemptsMax, maxFailures, maxOutageMs } = sweep.settings
  const paced = { share, hours, concurrency, timeoutMs, attemptsMax, maxFailures, maxOutageMs }
  const begin = (coordination: Coordination, notices: Notifiers) =>
    beginNewRun(
      {
        ...after,
        coordination,
        notices,
        ...stopLimits({ 'max-duration': flags['max-duration'], 'poll-for': flags['poll-for'] }),
        job,
        jobFlags,
        settings: { ...defaultSettings(job.job), ...paced, format: 'csv' },
        isSandbox: sweep.isSandbox,
        isParallel: false,
        isConfirmed: flags['yes-erase'] ?? false,
        runsDirectory: '',
        runDirectory: erasureOf(directory).path,
        hold: sweep.hold,
        retryOf: null,
        follows: sweep.run,
        input: async (own) => ({ files: [writeEndUsers(endUsers, own)], live: null }),
      },
      flags,
      shell,
    )
  const environment = withEnvFile(shell.environment, flags['env-file'])
  const erased = await telling(flags, shell, eraseJob, (notices) =>
    coordinated(flags, environment, sweep.isSandbox, (coordination) => begin(coordination, notices)),
  )
  return worse(exitCode, erased)
}

async function endUsersOf(directory: RunDirectory, sweep: RunFile): Promise<EndUser[]> {
  const run = withAcceptedInput(sweep, readCheckpoint(directory.checkpoint))
  const changed = await changedFiles(run)
  if (changed.length > 0) {
    throw new UsageError(
      `${changed.join(', ')} changed since ${sweep.run} has ended its conversations, so nobody can tell whose they were. Put the old file back, and resume ${sweep.run}.`,
    )
  }
  const { job } = await loadJob(sweep.job)
  const ids = idRulesOf(job, sweep.jobFlags)
  return endUsersBehind(directory.checkpoint, await openInput(run.input, run.settings, ids))
}

/** The input of the run that erases, kept in its directory. */
function writeEndUsers(endUsers: readonly EndUser[], own: RunDirectory): InputFile {
  const rows = endUsers.map(({ id, leave, conversations }) =>
    [id, leave, JSON.stringify(conversations)].map((cell) => `"${cell.replaceAll('"', '""')}"`).join(),
  )
  const path = join(own.path, fileName)
  writeFileAtomically(
    path,
    `${['end_user_id', leaveColumn, conversationsColumn].join()}\n${rows.join('\n')}\n`,
  )
  return { name: fileName, path }
}

/** The latest run that erases behind a sweep and is not at its end. */
export function unfinishedErasure(runs: string, instance: string | null): RunDirectory | null {
  const found = findUnfinished(runs, { job: eraseJob, instance })
  return found !== null && readRunFile(found).follows !== undefined ? found : null
}

/** From what is fine to what needs a person. */
const byWeight = [0, 3, 75, 143, 130, 4, 2, 1]

export function worse(one: number, other: number): number {
  return byWeight.indexOf(one) >= byWeight.indexOf(other) ? one : other
}

/** With `--json`, the summaries of both runs as one document. */
export async function asOneDocument(
  isJson: boolean | undefined,
  shell: Shell,
  work: (shell: Shell) => Promise<number>,
): Promise<number> {
  if (!isJson) return work(shell)
  const printed: string[] = []
  try {
    return await work({ ...shell, print: (text) => void printed.push(text) })
  } finally {
    const [sweep = 'null', erasure = 'null'] = printed
    shell.print(JSON.stringify({ sweep: JSON.parse(sweep), erasure: JSON.parse(erasure) }, null, 2))
  }
}
