import { existsSync, mkdirSync, rmSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, join } from 'node:path'
import { newRunDirectory, newRunName, type RunDirectory, writeRunFile } from '../checkpoint/directory.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { HoldMatches } from '../filters/hold.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import type { ExportSpan, RunSettings } from '../settings/run-settings.js'
import { type Fingerprinted, isUnchanged, stampOf } from '../sources/fingerprint.js'
import { IdHashWriter } from '../sources/id-hashes.js'
import { openInput } from '../sources/input.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory, syncDirectory } from '../system/files.js'
import { currentUser, version } from '../system/host.js'

import { type Count, countInput } from './count.js'
import { openFilters } from './filters.js'
import type { Host, WhenBusy } from './host.js'
import { idRulesOf } from './id-rules.js'
import type { LoadedJob } from './jobs.js'
import { asUsageError, type OpenRun, type OpenStates, openRun, openStates } from './open.js'

/** What a new run has to do. */
export interface NewRun {
  job: LoadedJob
  jobFlags: Record<string, string>
  settings: RunSettings
  isSandbox: boolean
  /** Against a sandbox that runs in another process. */
  isPractice: boolean
  isParallel: boolean
  hold: InputFile[]
  retryOf: string | null
  /** The run of which this one is the second part. */
  follows?: string
  /** Null where the record keeps the IDs. */
  pseudonyms: Pseudonyms | null
  /** The moment by which filters judge, when a plan has set it. */
  judgedAt?: string
}

export interface NewInput {
  files: InputFile[]
  /** What was downloaded from Data Export; null for files. */
  live: ExportSpan | null
}

/** What counting found, before run.json is written. */
export interface Counted {
  count: Count
  hold: Fingerprinted[]
  holdMatches: HoldMatches[]
}

/** A new run's directory, which can be removed until the run begins. */
export interface NewDirectory {
  directory: RunDirectory
  startedAt: Date
  /** Removes what was made. */
  discard(): void
}

/** The directory at `path`, which may exist but holds no run. */
export function directoryAt(path: string): NewDirectory {
  return newDirectory(path, !existsSync(path), new Date())
}

/** A directory named after job and time, made at once: two runs that begin in the same second get two. */
export function directoryWithin(runsDirectory: string, name: string): NewDirectory {
  const startedAt = new Date()
  try {
    makeDirectory(runsDirectory)
    for (;;) {
      const free = newRunName(name, startedAt, (taken) => existsSync(join(runsDirectory, taken)))
      const path = join(runsDirectory, free)
      if (made(path)) return newDirectory(path, true, startedAt)
    }
  } catch (error) {
    throw asUsageError(error, runsDirectory)
  }
}

function newDirectory(path: string, isNew: boolean, startedAt: Date): NewDirectory {
  const directory = newRunDirectory(path)
  return {
    directory,
    startedAt,
    discard() {
      if (!isNew) return
      try {
        rmSync(directory.path, { recursive: true, force: true })
      } catch {
        // Below something that is no directory nothing was made.
      }
    },
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

/**
 * Takes the locks, counts the input and writes run.json: from then on the run can be resumed. `agree` gets the counts
 * first, and throws when the run must not begin; then nothing is left behind. Throws a UsageError when the input cannot
 * be used, or changes meanwhile.
 */
export async function createRun(
  asked: NewRun,
  origin: string,
  { directory, startedAt, discard }: NewDirectory,
  host: Host,
  whenBusy: WhenBusy,
  bring: (syncState: SyncState | null, nowMs: number) => Promise<NewInput>,
  agree: (counted: Counted) => Promise<void>,
): Promise<OpenRun> {
  const { job, isParallel, pseudonyms } = asked
  const started = { run: directory.name, startedAt: startedAt.toISOString(), job: job.name }
  let states: OpenStates = { syncState: null, cooldown: null }
  try {
    const lock = await host.lockRun({ ...started, instance: origin, isParallel, directory }, whenBusy)
    try {
      states = openStates(job, { ...asked, instance: origin }, origin, host.stateDirectory)
      const written = await writtenRun(
        asked,
        { ...started, instance: origin },
        directory,
        states,
        bring,
        agree,
      )
      const state = readCheckpoint(directory.checkpoint)
      return openRun({ ...states, ...written, directory, job: job.job, state, lock, pseudonyms, origin })
    } catch (error) {
      states.syncState?.close()
      await lock.release()
      throw error
    }
  } catch (error) {
    discard()
    throw asUsageError(error, directory.path)
  }
}

async function writtenRun(
  asked: NewRun,
  started: Pick<RunFile, 'run' | 'startedAt' | 'job' | 'instance'>,
  directory: RunDirectory,
  { syncState, cooldown }: OpenStates,
  bring: (syncState: SyncState | null, nowMs: number) => Promise<NewInput>,
  agree: (counted: Counted) => Promise<void>,
): Promise<Pick<OpenRun, 'file' | 'input'>> {
  const { job, jobFlags, settings, judgedAt, pseudonyms, retryOf } = asked
  const nowMs = Date.parse(judgedAt ?? started.startedAt)
  const { files, live } = await bring(syncState, nowMs)
  const { filters, hold, holdMatches } = await openFilters({
    job: job.job,
    jobFlags,
    hold: asked.hold,
    holdSettings: followsAnother(asked) ? { ...settings, acceptsOddHold: true } : settings,
    isRetry: retryOf !== null,
    memory: syncState,
    recent: cooldown,
    nowMs,
  })
  if (pseudonyms !== null) refuseKept(job.job, files, directory)
  const ids = new IdHashWriter(directory.inputIds)
  const rules = idRulesOf(job.job, jobFlags, pseudonyms)
  const stamps = files.map(({ path }) => stampOf(path))
  const input = await openInput(files, settings, rules)
  const count = await countInput(input, filters, ids.add)
  ids.close()
  await agree({ count, hold, holdMatches: holdMatches() })
  await refuseChanged(count.input, stamps)
  const file: RunFile = {
    version: 1,
    ...started,
    jobFlags,
    ids: {
      isFree: rules.isFree ?? false,
      ...(rules.columns === undefined ? {} : { columns: rules.columns }),
    },
    isSandbox: asked.isSandbox,
    ...(asked.isPractice ? { isPractice: true } : {}),
    isParallel: asked.isParallel,
    settings,
    input: count.input,
    hold,
    plan: { read: count.read, calls: count.calls },
    duplicates: count.tally.totals(count.read).duplicate,
    live,
    retryOf,
    ...(asked.follows === undefined ? {} : { follows: asked.follows }),
    ...(pseudonyms === null ? {} : { pseudonyms: pseudonyms.check }),
    adaBulk: version,
    node: process.version,
    ...(judgedAt === undefined ? {} : { judgedAt }),
    by: currentUser(),
    host: hostname(),
  }
  writeRunFile(directory, file)
  return { file, input }
}

/** The lists were compared with all of the input before; this run has a part of it. */
function followsAnother({ retryOf, follows }: NewRun): boolean {
  return retryOf !== null || follows !== undefined
}

/** A person may think for an hour before they agree, and they agree to what was counted. */
async function refuseChanged(
  input: readonly Fingerprinted[],
  stamps: readonly (string | null)[],
): Promise<void> {
  for (const [index, file] of input.entries()) {
    const stamp = stamps[index]
    if (stamp !== null && stampOf(file.path) === stamp) continue
    if (await isUnchanged(file)) continue
    throw new UsageError(
      `${file.name} has changed since it was counted. Nothing was called: start again, and look at the new counts.`,
    )
  }
}

/** Input from stdin or a download is kept in the run's directory, with its IDs. */
function refuseKept(job: Job, files: readonly InputFile[], directory: RunDirectory): void {
  if (job.remembers)
    throw new UsageError(
      '--pseudonymise: this job keeps the IDs that it has settled, in clear. Use another job.',
    )
  if (!files.some(({ path }) => path.startsWith(`${directory.path}/`))) return
  throw new UsageError(
    "--pseudonymise is for files of your own: what comes from stdin or --live would be kept in the run's directory, in clear. Save it to a file first.",
  )
}
