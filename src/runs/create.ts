import { hostname } from 'node:os'
import { type RunDirectory, writeRunFile } from '../checkpoint/directory.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { RecentlySubmitted } from '../filters/cooldown.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import type { ExportSpan, RunSettings } from '../settings/run-settings.js'
import { type Fingerprinted, isUnchanged } from '../sources/fingerprint.js'
import { IdHashWriter } from '../sources/id-hashes.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { currentUser, version } from '../system/host.js'
import { type Count, countInput } from './count.js'
import { openFilters } from './filters.js'
import { idRulesOf } from './id-rules.js'
import type { LoadedJob } from './jobs.js'

/** What a new run is to do. */
export interface Asked {
  job: LoadedJob
  jobFlags: Record<string, string>
  settings: RunSettings
  /** Where calls go to; the instance that is recorded. */
  origin: string
  isSandbox: boolean
  isPractice?: boolean
  isParallel: boolean
  hold: InputFile[]
  retryOf: string | null
  /** The run of which this one is the second part. */
  follows?: string
  /** Who was handed over lately. */
  recent?: RecentlySubmitted | null
  /** Null where the books keep the IDs. */
  pseudonyms?: Pseudonyms | null
  startedAt: Date
  /** The moment by which filters judge, when a plan has set it. */
  judgedAt?: string
}

export interface NewInput {
  files: InputFile[]
  /** What of Data Export it was downloaded from. */
  live: ExportSpan | null
}

/** What counting found, before anything is written down. */
export interface Counted {
  count: Count
  hold: Fingerprinted[]
}

/**
 * Counts the input of a new run and writes its run.json: from then on it can be resumed. `agree` sees the counts
 * first, and throws if it is not to be. Throws a UsageError when the input cannot be used, or changes meanwhile.
 */
export async function prepareRun(
  asked: Asked,
  directory: RunDirectory,
  input: NewInput,
  memory: SyncState | null,
  agree: (counted: Counted) => Promise<void>,
): Promise<RunFile> {
  const { job, settings, startedAt, judgedAt } = asked
  const { filters, hold } = await openFilters({
    ...asked,
    job: job.job,
    isRetry: asked.retryOf !== null,
    memory,
    nowMs: judgedAt === undefined ? startedAt.getTime() : Date.parse(judgedAt),
  })
  const ids = new IdHashWriter(directory.inputIds)
  const rules = idRulesOf(job.job, asked.jobFlags, asked.pseudonyms)
  if (asked.pseudonyms) refuseKept(job.job, input.files, directory)
  const count = await countInput(input.files, settings, filters, rules, ids.add)
  ids.close()
  await agree({ count, hold })
  await refuseChanged(count.input)
  const run: RunFile = {
    version: 1,
    run: directory.name,
    job: job.name,
    jobFlags: asked.jobFlags,
    ids: {
      isFree: rules.isFree ?? false,
      ...(rules.columns === undefined ? {} : { columns: rules.columns }),
    },
    instance: asked.origin,
    isSandbox: asked.isSandbox,
    ...(asked.isPractice ? { isPractice: true } : {}),
    isParallel: asked.isParallel,
    settings,
    input: count.input,
    hold,
    plan: { read: count.read, calls: count.calls },
    duplicates: count.tally.totals(count.read).duplicate,
    live: input.live,
    retryOf: asked.retryOf,
    ...(asked.follows === undefined ? {} : { follows: asked.follows }),
    ...(asked.pseudonyms ? { pseudonyms: asked.pseudonyms.check } : {}),
    adaBulk: version,
    node: process.version,
    startedAt: startedAt.toISOString(),
    ...(judgedAt === undefined ? {} : { judgedAt }),
    by: currentUser(),
    host: hostname(),
  }
  writeRunFile(directory, run)
  return run
}

/** A person may think for an hour before they agree, and what they agreed to is what was counted. */
async function refuseChanged(input: readonly Fingerprinted[]): Promise<void> {
  for (const file of input) {
    if (await isUnchanged(file)) continue
    throw new UsageError(
      `${file.name} has changed since it was counted. Nothing was called: start again, and look at the new counts.`,
    )
  }
}

/** What stdin or a download brings is kept in the run's directory, in clear. */
function refuseKept(job: Job, files: readonly InputFile[], directory: RunDirectory): void {
  if (job.remembers)
    throw new UsageError('--pseudonymise: this job remembers what it has settled, in clear. Take another.')
  if (!files.some(({ path }) => path.startsWith(`${directory.path}/`))) return
  throw new UsageError(
    "--pseudonymise is for files of your own: what comes from stdin or --live would be kept in the run's directory, in clear. Save it to a file first.",
  )
}
