import { closeSync, fsyncSync, ftruncateSync, openSync, renameSync, rmSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import type { Outcome } from '../item.js'
import type { Api } from '../job.js'
import { paced } from '../operations/paced.js'
import { settleWithRetries } from '../operations/retry.js'
import type { Limiter } from '../pacing/limiter.js'
import type { ExportSpan } from '../settings/run-settings.js'
import { dataExport } from '../sources/data-export.js'
import { IdSet } from '../sources/id-set.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { syncDirectory } from '../system/files.js'
import type { Stop } from '../system/stop.js'
import { fetchPage, type Page } from './export-pages.js'
import { type Downloaded, onDisk, readStanding, type Standing, writeStanding } from './export-progress.js'
import { nextPath, queriesOf, queryPath, sinceEdge } from './export-span.js'

export interface DownloadOptions {
  span: ExportSpan
  /** As the person asked, to tell a download that can be resumed from another. */
  asked: string
  /** Gzipped JSON Lines. Until it is whole it lies beside, with the ending `.part`. */
  output: string
  pageSize: number
  origin: string
  api: Api
  limiter: Limiter
  attemptsMax: number
  stop: Stop
  clock: Clock
  random: () => number
  onPage?: (downloaded: Downloaded) => void
}

/** The API would not give a page, for a reason that another try does not mend. */
export class ExportRefusedError extends Error {
  override readonly name = 'ExportRefusedError'
  constructor(readonly outcome: Outcome) {
    super(outcome.message)
  }
}

const gzip = promisify(gzipCallback)

/**
 * Downloads Data Export records into a file, page by page. Each page is on disk before the next is asked for, as a
 * gzip member of its own; a repeated record is dropped. Resumes a download that was stopped or killed. Throws
 * ExportRefusedError, KeyRefusedError, ApiDownError, LogWriteError, and Stopped when it was asked to stop.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const { clock } = options
  const part = `${options.output}.part`
  const progress = `${part}.json`
  const standing = readStanding(part, progress, options)
  const queries = queriesOf(standing.span)
  const file = openSync(part, 'a', 0o600)
  try {
    ftruncateSync(file, standing.bytes)
    let seen = await recordsIn(part, standing.bytes)
    let queryBegunAnew = -1
    let asked = new IdSet()
    while (standing.queries < queries.length) {
      const path =
        standing.path ?? queryPath(sinceEdge(queries[standing.queries]!, clock.wallMs()), standing.pageSize)
      const page = await pageAt(path, options).catch((error) => {
        if (queryBegunAnew === standing.queries || !isStaleCursor(error, standing)) throw error
        return null
      })
      if (page === null) {
        queryBegunAnew = standing.queries
        Object.assign(standing, { path: null, bytes: standing.queryBytes, records: standing.queryRecords })
        writeStanding(progress, standing)
        ftruncateSync(file, standing.bytes)
        seen = await recordsIn(part, standing.bytes)
        asked = new IdSet()
        continue
      }
      asked.add(path)
      const fresh = page.records.filter((record) => isNew(record, seen))
      if (fresh.length > 0) {
        standing.bytes += await append(file, part, linesOf(fresh))
      }
      standing.pages += 1
      standing.records += fresh.length
      standing.path = page.nextPageUri === null ? null : nextPath(page.nextPageUri, options.origin, path)
      if (standing.path !== null && asked.has(standing.path)) throw goesInCircles(standing.path)
      if (standing.path === null) {
        standing.queries += 1
        standing.queryBytes = standing.bytes
        standing.queryRecords = standing.records
      }
      writeStanding(progress, standing)
      options.onPage?.(standing)
    }
    if (standing.bytes === 0) await append(file, part, '')
  } finally {
    closeSync(file)
  }
  renameSync(part, options.output)
  rmSync(progress, { force: true })
  syncDirectory(dirname(options.output))
  return standing
}

/** Adds text as a gzip member of its own, and flushes it; says how many bytes that took. */
async function append(file: number, path: string, text: string): Promise<number> {
  const bytes = await gzip(text)
  return onDisk(path, () => {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    fsyncSync(file)
    return bytes.length
  })
}

async function pageAt(path: string, options: DownloadOptions): Promise<Page> {
  const { limiter, api, attemptsMax, stop, clock, random } = options
  let page: Page | null = null
  const operation = paced(
    fetchPage(path, (fetched) => {
      page = fetched
    }),
    limiter,
  )
  const item = { ordinal: 0, id: path, source: '', line: 0, record: () => ({}) }
  const { outcome } = await settleWithRetries(
    operation,
    api,
    item,
    { calls: 0, isAnswerLost: false },
    {
      attemptsMax,
      clock,
      random,
      stopSignal: stop.signal,
      abortSignal: stop.abortSignal,
    },
    { sent() {}, back() {} },
  )
  if (page === null) throw new ExportRefusedError(outcome)
  return page
}

/** A cursor that the API does not know any more, on a download that is resumed days later: the query begins anew. */
function isStaleCursor(error: unknown, standing: Standing): boolean {
  return (
    error instanceof ExportRefusedError &&
    standing.path !== null &&
    [400, 404, 410, 422].includes(error.outcome.httpStatus ?? 0)
  )
}

/** A record that comes again as it was is a repetition; one that was updated meanwhile is not, nor one without an ID. */
function isNew(record: unknown, seen: IdSet): boolean {
  const fields = (record ?? {}) as Record<string, unknown>
  const id = fields.conversation_id ?? fields._id ?? fields.id
  if (typeof id !== 'string' && typeof id !== 'number') return true
  return seen.add(`${id} ${wordOf(fields.date_updated)} ${wordOf(fields.record_last_updated)}`)
}

function wordOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}

/** Throws an ExportRefusedError for what was read, and cannot be written again. */
function linesOf(records: readonly unknown[]): string {
  try {
    return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = 'a page has a record that is nested too deep, or too large, to be kept'
    throw new ExportRefusedError({ status: 'failed', reason: 'rejected', httpStatus: 200, message })
  }
}

function goesInCircles(path: string): UsageError {
  return new UsageError(
    `the API names a page as the next that it has given before (${path}): the export would never end.`,
  )
}

/** What was downloaded before, for telling repetitions. The file holds whole records only. */
async function recordsIn(part: string, bytes: number): Promise<IdSet> {
  const seen = new IdSet()
  if (bytes === 0) return seen
  for await (const rows of dataExport.rows({ name: part, path: part }, {})) {
    for (const row of rows) isNew(row.record(), seen)
  }
  return seen
}
