import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import type { RecentlySubmitted } from './batches/recently-submitted.js'
import { readHead } from './bytes.js'
import type { Filter } from './filters/filter.js'
import { nobodyOnHold, notOnHold } from './filters/hold.js'
import { notSettledBefore } from './filters/remembered.js'
import { notSubmittedRecently } from './filters/submitted.js'
import { idRulesOf } from './ids/id-rules.js'
import { IdSet } from './ids/id-set.js'
import { type IdRules, type Input, readItems } from './items.js'
import type { Job, JobFlags } from './job.js'
import type { Memory } from './nights/memory.js'
import { isOnBatches } from './operations/operation.js'
import { openRegular } from './regular-file.js'
import type { Fingerprinted, RunFile } from './run-file.js'
import { csv } from './sources/csv.js'
import { conversationIdNames } from './sources/csv-id-column.js'
import { dataExport } from './sources/data-export.js'
import type { InputFile, Source } from './sources/source.js'
import { UsageError } from './usage-error.js'

/** Every kind of file that can be read; by content, the first that recognises a file reads it. */
const sources: readonly Source[] = [dataExport, csv]

export const inputFormats: readonly string[] = ['auto', ...sources.map((source) => source.format)]

export interface InputSettings {
  format: string
  idColumn: string | null
  acceptTruncated: boolean
  ids?: IdRules
}

/** Finds the source for each file. Throws a UsageError for a file that cannot be read. */
export async function openInput(
  files: readonly InputFile[],
  settings: InputSettings,
  filters: readonly Filter[],
): Promise<Input> {
  const chosen = []
  for (const file of files) chosen.push({ ...file, source: await chooseSource(file, settings.format) })
  return {
    files: chosen,
    filters,
    acceptTruncated: settings.acceptTruncated,
    ...(settings.ids === undefined ? {} : { ids: settings.ids }),
    ...(settings.idColumn === null ? {} : { idColumn: settings.idColumn }),
  }
}

async function chooseSource(file: InputFile, format: string): Promise<Source> {
  const head = await readHead(file.path, file.name)
  const source = sources.find((candidate) =>
    format === 'auto' ? candidate.recognises(head) : candidate.format === format,
  )
  if (source === undefined) {
    throw new UsageError(
      `${file.name}: neither of ${inputFormats.slice(1).join(', ')}. Say with --format what it is.`,
    )
  }
  return source
}

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

/** Takes the SHA-256 and the size of files while they are read. */
export class Fingerprinting {
  readonly #files: readonly InputFile[]
  readonly #sums: { hash: ReturnType<typeof createHash>; bytes: number }[]

  constructor(files: readonly InputFile[]) {
    this.#files = files
    this.#sums = files.map(() => ({ hash: createHash('sha256'), bytes: 0 }))
  }

  readonly tap = (file: number, chunk: Uint8Array): void => {
    const sum = this.#sums[file]!
    sum.hash.update(chunk)
    sum.bytes += chunk.length
  }

  /** Once, when every file was read to its end. */
  done(): Fingerprinted[] {
    return this.#files.map(({ name, path }, index) => {
      const { hash, bytes } = this.#sums[index]!
      return { name, path, sha256: hash.digest('hex'), bytes }
    })
  }
}

/** Whether a file still is what its fingerprint says. */
export async function isUnchanged(file: Fingerprinted): Promise<boolean> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(file.path, {
      fd: openRegular(file.path),
      highWaterMark: 1 << 20,
    }))
      hash.update(chunk)
  } catch (error) {
    throw new UsageError(
      `${file.name}: the input of this run cannot be read any more (${(error as NodeJS.ErrnoException).code}). Put it back at ${file.path}.`,
    )
  }
  return hash.digest('hex') === file.sha256
}
