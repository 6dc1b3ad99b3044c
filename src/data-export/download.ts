import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import type { Api } from '../api/api.js'
import { syncDirectory, writeFileAtomically } from '../atomic-write.js'
import type { Clock } from '../clock.js'
import { IdSet } from '../id-set.js'
import type { Outcome } from '../outcome.js'
import type { Limiter } from '../pacing/limiter.js'
import { paced } from '../pacing/paced.js'
import { settleWithRetries } from '../retry.js'
import { dataExport } from '../sources/data-export.js'
import type { Stop } from '../stop.js'
import { UsageError } from '../usage-error.js'
import { fetchPage, type Page } from './pages.js'
import { type ExportSpan, nextPath, queriesOf, queryPath } from './span.js'

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

export interface Downloaded {
  records: number
  pages: number
  /** Queries done, of all that the span takes. */
  queries: number
  queriesAll: number
}

/** The API would not give a page, for a reason that another try does not mend. */
export class ExportRefusedError extends Error {
  override readonly name = 'ExportRefusedError'
  constructor(readonly outcome: Outcome) {
    super(outcome.message)
  }
}

/** Where a download stands; kept beside it, so that it can be killed at any moment. */
interface Standing extends Downloaded {
  asked: string
  span: ExportSpan
  pageSize: number
  /** Length of what is whole. */
  bytes: number
  /** The next page; null: the first of the next query. */
  path: string | null
  /** Where the query under way began, in the file and in the counts, if it must be asked again. */
  queryBytes: number
  queryRecords: number
}

const gzip = promisify(gzipCallback)

/**
 * Downloads Data Export records into a file, page by page. Each page is on disk before the next is asked for, as a
 * gzip member of its own; a repeated record is dropped. Resumes a download that was stopped or killed. Throws
 * ExportRefusedError, KeyRefusedError, ApiDownError, and Stopped when it was asked to stop.
 */
export async function download(options: DownloadOptions): Promise<Downloaded> {
  const part = `${options.output}.part`
  const progress = `${options.output}.part.json`
  const standing = readStanding(progress, options)
  const queries = queriesOf(standing.span)
  const seen = standing.bytes > 0 ? await recordsIn(part, standing.bytes) : new IdSet()
  const file = openSync(part, 'a', 0o600)
  try {
    ftruncateSync(file, standing.bytes)
    while (standing.queries < queries.length) {
      const path = standing.path ?? queryPath(queries[standing.queries]!, standing.pageSize)
      const page = await pageAt(path, options).catch((error) => {
        if (!isStaleCursor(error, standing)) throw error
        return null
      })
      if (page === null) {
        ftruncateSync(file, standing.queryBytes)
        Object.assign(standing, { path: null, bytes: standing.queryBytes, records: standing.queryRecords })
        continue
      }
      const fresh = page.records.filter((record) => seen.add(keyOf(record)))
      if (fresh.length > 0) {
        const bytes = await gzip(fresh.map((record) => `${JSON.stringify(record)}\n`).join(''))
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
        fsyncSync(file)
        standing.bytes += bytes.length
      }
      standing.pages += 1
      standing.records += fresh.length
      standing.path = page.nextPageUri === null ? null : nextPath(page.nextPageUri, options.origin, path)
      if (standing.path === null) {
        standing.queries += 1
        standing.queryBytes = standing.bytes
        standing.queryRecords = standing.records
      }
      writeFileAtomically(progress, `${JSON.stringify(standing)}\n`)
      options.onPage?.(standing)
    }
    if (standing.bytes === 0) writeSync(file, await gzip(''))
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(part, options.output)
  rmSync(progress, { force: true })
  syncDirectory(dirname(options.output))
  return standing
}

function readStanding(progress: string, options: DownloadOptions): Standing {
  const { span, asked, pageSize } = options
  const counts = { records: 0, pages: 0, queries: 0, queriesAll: queriesOf(span).length }
  const fresh: Standing = {
    ...counts,
    asked,
    span,
    pageSize,
    bytes: 0,
    path: null,
    queryBytes: 0,
    queryRecords: 0,
  }
  if (!existsSync(progress)) return fresh
  let standing: Standing
  try {
    standing = JSON.parse(readFileSync(progress, 'utf8'))
  } catch {
    throw new UsageError(`${progress} is damaged. Remove it and ${options.output}.part to begin anew.`)
  }
  if (standing.asked === asked) return standing
  throw new UsageError(
    `${options.output}.part is of another export (${standing.asked}). Finish that one, name another --output, or remove it and ${progress}.`,
  )
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
      notes: { sent() {}, back() {} },
    },
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

/** A record that comes again as it was is a repetition; one that was updated meanwhile is not. */
function keyOf(record: Record<string, unknown>): string {
  return `${record._id ?? record.id} ${record.date_updated ?? ''} ${record.record_last_updated ?? ''}`
}

async function recordsIn(part: string, bytes: number): Promise<IdSet> {
  const file = openSync(part, 'r+')
  ftruncateSync(file, bytes)
  closeSync(file)
  const seen = new IdSet()
  for await (const rows of dataExport.rows({ name: part, path: part }, {})) {
    for (const row of rows) seen.add(keyOf(row.record() as Record<string, unknown>))
  }
  return seen
}
