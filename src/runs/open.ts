import { hash } from 'node:crypto'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { LogWriteError, readSpan } from '../checkpoint/log.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { type RecentlySubmitted, recentlySubmittedOf } from '../filters/cooldown.js'
import { openSyncStateOf, type SyncState } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import type { Input } from '../sources/items.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import { checkInput } from './changed-input.js'
import type { Host, RunLock, WhenBusy } from './host.js'
import { idRulesOfRun } from './id-rules.js'
import { mendCheckpoint } from './mend-checkpoint.js'

/** A run that this process holds the lock of: new, with its run.json just written, or reopened. */
export interface OpenRun extends AsyncDisposable {
  directory: RunDirectory
  /** With the input as it is now. */
  file: RunFile
  job: Job
  input: Input
  /** What the checkpoint says; kept up to date while the run executes. */
  state: CheckpointState
  lock: RunLock
  /** What earlier runs of the job have settled; null for a job that does not remember. */
  syncState: SyncState | null
  /** The end users that were submitted in the last seven days; null for a job that need not know. */
  cooldown: RecentlySubmitted | null
  /** Null where the record keeps the IDs. */
  pseudonyms: Pseudonyms | null
  /** Where calls go to: the instance, or the sandbox in its place. */
  origin: string
}

/** What a run keeps open beside its lock. */
export type OpenStates = Pick<OpenRun, 'syncState' | 'cooldown'>

/** Opens what runs of the job keep in the state directory. */
export function openStates(
  { job, name }: { job: Job; name: string },
  run: Pick<RunFile, 'jobFlags' | 'isSandbox' | 'isParallel' | 'instance'>,
  origin: string,
  stateDirectory: string,
): OpenStates {
  const { jobFlags, isSandbox, isParallel, instance } = run
  const cooldown = recentlySubmittedOf(job, { stateDirectory, origin, isSandbox })
  const syncState = openSyncStateOf({ stateDirectory, jobFlags, isSandbox, isParallel }, job, name, instance)
  return { syncState, cooldown }
}

/**
 * Reopens a run under its settings. `onChangedInput` is called with what changed before the input as it is now is
 * accepted; it throws where that is not wanted. `notice` hears what was damaged in the checkpoint, and mended.
 */
export async function reopenRun(
  directory: RunDirectory,
  file: RunFile,
  job: Job,
  origin: string,
  pseudonyms: Pseudonyms | null,
  host: Host,
  whenBusy: WhenBusy,
  onChangedInput: (changes: string) => void,
  acceptsDamage: boolean,
  notice: (text: string) => void,
): Promise<OpenRun> {
  const { run, startedAt, job: name, instance, isParallel } = file
  const lock = await host.lockRun({ run, startedAt, job: name, instance, isParallel, directory }, whenBusy)
  let states: OpenStates = { syncState: null, cooldown: null }
  try {
    const state = await mendCheckpoint(directory, acceptsDamage, notice)
    states = openStates({ job, name }, file, origin, host.stateDirectory)
    const ids = idRulesOfRun(file, job, pseudonyms)
    const checked = await checkInput(directory, file, state, job, states.syncState, ids, onChangedInput)
    return openRun({ ...states, ...checked, directory, job, lock, pseudonyms, origin })
  } catch (error) {
    states.syncState?.close()
    await lock.release()
    throw asUsageError(error, directory.path)
  }
}

export function openRun(parts: Omit<OpenRun, typeof Symbol.asyncDispose>): OpenRun {
  return {
    ...parts,
    async [Symbol.asyncDispose]() {
      parts.syncState?.close()
      await parts.lock.release()
    },
  }
}

/** The error that tells a person what the disk refused; a bug stays as it is. */
export function asUsageError(error: unknown, path: string): unknown {
  const { code, message } = error as NodeJS.ErrnoException
  const isOfDisk = error instanceof LogWriteError || (code !== undefined && /^E[A-Z]+$/.test(code))
  if (!(error instanceof Error) || !isOfDisk) return error
  return new UsageError(
    `cannot write to ${path}: ${message}. Nothing was sent. Make room, or name another place with --runs-dir or --run-dir.`,
  )
}

/** What a run was started with. Throws a UsageError when run.json was changed since. */
export function loadRunFile(directory: RunDirectory): RunFile {
  const run = readRunFile(directory)
  const agreed = sha256AtStart(directory.checkpoint)
  if (agreed !== null && agreed !== hash('sha256', readFileSync(directory.runFile))) {
    throw new UsageError(
      `${directory.runFile} was changed since the run began, so it is not what was agreed to. Put it back as it was (its SHA-256 was ${agreed}), or begin a new run.`,
    )
  }
  return run
}

const startMaxBytes = 1024 * 1024

/** From the first line of the checkpoint; null before that line, and for runs of earlier versions. */
function sha256AtStart(checkpoint: string): string | null {
  if (!existsSync(checkpoint)) return null
  const text = readSpan(checkpoint, 0, Math.min(statSync(checkpoint).size, startMaxBytes)).toString()
  try {
    return JSON.parse(text.slice(0, text.indexOf('\n'))).runFile ?? null
  } catch {
    return null
  }
}
