import type { RunFile } from '../checkpoint/run-file.js'
import { notSubmittedRecently, type RecentlySubmitted } from '../filters/cooldown.js'
import { nobodyOnHold, notOnHold } from '../filters/hold.js'
import { type Memory, notSettledBefore } from '../filters/settled-before.js'
import { type Filter, isOnBatches, type Job, type JobFlags } from '../job.js'
import type { Fingerprinted } from '../settings/run-settings.js'
import { conversationIdNames } from '../sources/csv-id-column.js'
import { IdSet } from '../sources/id-set.js'
import { Fingerprinting, openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { idRulesOf } from './id-rules.js'

/** What decides which items of a run are not to be done. */
export interface FilterSettings {
  job: Job
  jobFlags: Readonly<Record<string, string>>
  hold: readonly InputFile[]
  /** A retried item has passed the job's own filters once, and the record that they look at is gone. */
  isRetry: boolean
  /** Of a job that remembers. */
  memory: Memory | null
  /** Who was handed over lately; null where nobody has to remember. */
  recent?: RecentlySubmitted | null
  /** The moment by which the job's filters judge (Unix): when the run began, or its plan was made. */
  nowMs: number
}

/** The filters of a run: hold lists go before the job's own. */
export async function openFilters(
  settings: FilterSettings,
): Promise<{ filters: Filter[]; hold: Fingerprinted[] }> {
  const { job, jobFlags, memory, recent = null, nowMs } = settings
  const { filter, fingerprints } = await openHoldLists(settings.hold, job, jobFlags)
  const own = settings.isRetry ? [] : (job.filters?.(jobFlags, { nowMs }) ?? [])
  const before = memory === null ? [] : [notSettledBefore(memory)]
  const { operation } = job
  const isForLater = recent !== null && isOnBatches(operation)
  const later = isForLater ? [notSubmittedRecently(recent, operation.withFlags(jobFlags))] : []
  return { filters: [...(filter === null ? [] : [filter]), ...before, ...own, ...later], hold: fingerprints }
}

/** The filters of a run that has its run.json. */
export function filtersOfRun(
  run: RunFile,
  job: Job,
  memory: Memory | null,
  recent: RecentlySubmitted | null = null,
): Promise<{ filters: Filter[]; hold: Fingerprinted[] }> {
  const { jobFlags, hold } = run
  const isRetry = run.retryOf !== null
  const nowMs = Date.parse(run.judgedAt ?? run.startedAt)
  return openFilters({ job, jobFlags, hold, isRetry, memory, recent, nowMs })
}

/** A hold list's filter and the list's fingerprint. A row without a usable ID would leave somebody unprotected: refused. */
async function openHoldLists(
  files: readonly InputFile[],
  job: Job,
  jobFlags: JobFlags,
): Promise<{ filter: Filter | null; fingerprints: Fingerprinted[] }> {
  if (files.length === 0) return { filter: null, fingerprints: [] }
  const held = new IdSet()
  const ids = idRulesOf(job, jobFlags)
  const isAnyCase = isOnBatches(job.operation) || job.mayErase === true
  const settings = {
    format: 'auto',
    idColumn: null,
    acceptTruncated: false,
    ids: { ...ids, columns: isAnyCase ? holdColumns(ids) : conversationIdNames },
  }
  const input = await openInput(files, settings, [])
  const fingerprinting = new Fingerprinting(files)
  for await (const batch of readItems(input, fingerprinting.tap)) {
    for (const { item, outcome } of batch) {
      if (outcome?.status === 'invalid') {
        throw new UsageError(
          `--hold ${item.source}, line ${item.line}: ${outcome.message || outcome.reason}. Mend the hold list first: a row that cannot be read protects nobody.`,
        )
      }
      held.add(isAnyCase ? item.id.toLowerCase() : item.id)
    }
  }
  return { filter: isAnyCase ? nobodyOnHold(held) : notOnHold(held), fingerprints: fingerprinting.done() }
}

/** A hold list may name conversations where end users are the items, and the other way round. */
function holdColumns({ columns = [] }: IdRules): string[] {
  return [...columns, ...conversationIdNames, 'end_user_id']
}
