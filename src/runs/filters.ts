import { existsSync, renameSync } from 'node:fs'
import type { RunFile } from '../checkpoint/run-file.js'
import { notSubmittedRecently, type RecentlySubmitted } from '../filters/cooldown.js'
import { type HoldMatches, openHoldLists } from '../filters/hold.js'
import { notSettledBefore, type SyncState } from '../filters/settled-before.js'
import { type Filter, isOnBatches, type Job } from '../job.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import type { HoldSettings } from '../sources/hold-list.js'
import { IdDifference, IdHashWriter } from '../sources/id-hashes.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { counted } from '../system/text.js'
import { idRulesOf } from './id-rules.js'

/** What decides which items of a run are not to be done. */
export interface FilterSettings {
  job: Job
  jobFlags: Readonly<Record<string, string>>
  hold: readonly InputFile[]
  holdSettings: HoldSettings
  /** A retried item has passed the job's own filters once, and the record that they look at is gone. */
  isRetry: boolean
  /** Of a job that remembers. */
  memory: SyncState | null
  /** Who was handed over lately; null where nobody has to remember. */
  recent?: RecentlySubmitted | null
  /** The moment by which the job's filters judge (Unix): when the run began, or its plan was made. */
  nowMs: number
}

export interface OpenFilters {
  filters: Filter[]
  hold: Fingerprinted[]
  /** The keys of all IDs on hold. */
  heldKeys(): Iterable<string>
  /** After all items were judged. Throws a UsageError for a row of a hold list that is unlike every ID of the input. */
  holdMatches(): HoldMatches[]
}

/** The filters of a run: hold lists go before the job's own. */
export async function openFilters(settings: FilterSettings): Promise<OpenFilters> {
  const { job, jobFlags, memory, recent = null, nowMs } = settings
  const { operation } = job
  const lists = await openHoldLists(settings.hold, idRulesOf(job, jobFlags), settings.holdSettings)
  const own = settings.isRetry ? [] : (job.filters?.(jobFlags, { nowMs }) ?? [])
  const before = memory === null ? [] : [notSettledBefore(memory)]
  const isForLater = recent !== null && isOnBatches(operation)
  const later = isForLater ? [notSubmittedRecently(recent, operation.withFlags(jobFlags))] : []
  return {
    filters: [...(lists.filter === null ? [] : [lists.filter]), ...before, ...own, ...later],
    hold: lists.fingerprints,
    heldKeys: lists.keys,
    holdMatches: lists.matches,
  }
}

/** The filters of a run that has its run.json. */
export function filtersOfRun(
  run: RunFile,
  job: Job,
  memory: SyncState | null,
  recent: RecentlySubmitted | null = null,
): Promise<OpenFilters> {
  const { jobFlags, hold, settings: holdSettings } = run
  const isRetry = run.retryOf !== null
  const nowMs = Date.parse(run.judgedAt ?? run.startedAt)
  return openFilters({ job, jobFlags, hold, holdSettings, isRetry, memory, recent, nowMs })
}

/**
 * Keeps the hashes of the IDs on hold for the next execution. Throws a UsageError when IDs of the last execution are on no
 * hold list any more, unless that is accepted. `nameOf` gives what the record may hold of an ID.
 */
export function keepHeldIds(
  path: string,
  keys: Iterable<string>,
  nameOf: (key: string) => string,
  acceptsShrunk: boolean,
): void {
  const names = [...keys].map(nameOf)
  if (existsSync(path) && !acceptsShrunk) {
    const difference = new IdDifference(path)
    for (const name of names) difference.add(name)
    if (difference.gone > 0) {
      throw new UsageError(
        `the hold lists have lost ${counted(difference.gone, 'ID')} since the run last executed, which would be called now. Nothing was called. Put the IDs back, or add --accept-shrunk-hold if they are no longer on hold.`,
      )
    }
  } else if (names.length === 0) return
  const hashes = new IdHashWriter(`${path}.new`)
  for (const name of names) hashes.add(name)
  hashes.close()
  renameSync(`${path}.new`, path)
}
