import {
  closeSync,
  existsSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { promisify } from 'node:util'
import { gzip as gzipCallback } from 'node:zlib'
import { z } from 'zod'
import { LogWriteError } from '../checkpoint/log.js'
import type { Outcome } from '../item.js'
import { type RetryPolicy, settleWithRetries } from '../operations/retry.js'
import type { Ledger } from '../pacing/ledger.js'
import { openMemoryLedger } from '../pacing/memory.js'
import { type ExportSpan, exportHistoryMs } from '../settings/run-settings.js'
import { IdSet } from '../sources/id-set.js'
import { json } from '../sources/json.js'
import { systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { readSmallText, syncDirectory, writeFileAtomically } from '../system/files.js'
import type { Stop } from '../system/stop.js'
import { messageOf } from '../system/text.js'
import { fetchPage, nextPath, type Page, queriesOf, queryPath, sinceEdge } from './export-pages.js'
import { openSession, type Session, type SessionSettings } from './session.js'

export interface ExportRequest {
  span: ExportSpan
  /** As the person typed it, to tell a download that can be resumed from another. */
  asked: string
  /** Gzipped JSON Lines. Until it is whole it lies beside, with the ending `.part`. */
  output: string
  pageSize: number
  onPage?: (downloaded: Downloaded) => void
}

export interface Downloaded {
  records: number
  pages: number
  /** Queries done, of all that the span takes. */
  queries: number
  queriesAll: number
}

/** The API refuses a page, for a reason that another try does not mend. */
export class ExportRefusedError extends Error {
  override readonly name = 'ExportRefusedError'
  constructor(readonly outcome: Outcome) {
    super(outcome.message)
  }
}

/** Downloads from Data Export under its rate limits, which are apart from those for conversations. */
export async function fetchExport(
  request: ExportRequest,
  { origin, key, isSandbox }: { origin: string; key: string; isSandbox: boolean },
  settings: SessionSettings & { attemptsMax: number },
  openLedger: (instance: string) => Promise<Ledger>,
  stop: Stop,
): Promise<Downloaded> {
  const ledger = isSandbox ? openMemoryLedger(systemClock) : await openLedger(`${origin}/export`)
  const surroundings = { clock: systemClock, random: Math.random }
  // Each page names the next.
  const onePage = { ...settings, concurrency: 1 }
  await using session = await openSession(origin, key, onePage, ledger, surroundings)
  const { signal: stopSignal, abortSignal } = stop
  const { attemptsMax } = settings
  return await download(request, origin, session, {
    ...surroundings,
    attemptsMax,
    stopSignal,
    abortSignal,
    health: session.health,
  })
}

const gzip = promisify(gzipCallback)

/**
 * Downloads records into a file, page by page. Each page is on disk before the next is asked for, as a gzip member of
 * its own; a repeated record is dropped. Resumes a download that was stopped or killed. Throws ExportRefusedError,
 * KeyRefusedError, ApiDownError, LogWriteError, and Stopped.
 */
export async function download(
  request: ExportRequest,
  origin: string,
  session: Pick<Session, 'api' | 'pace'>,
  policy: RetryPolicy,
): Promise<Downloaded> {
  const part = `${request.output}.part`
  const progressPath = `${part}.json`
  const progress = readProgress(part, progressPath, request)
  const queries = queriesOf(progress.span)
  const file = openSync(part, 'a', 0o600)
  try {
    ftruncateSync(file, progress.bytes)
    let seen = await recordsIn(part, progress.bytes)
    let asked = new IdSet()
    let restarted = -1
    while (progress.queries < queries.length) {
      const query = sinceEdge(queries[progress.queries]!, policy.clock.wallMs())
      const path = progress.path ?? queryPath(query, progress.pageSize)
      const page = await pageAt(path, session, policy).catch((error) => {
        if (restarted === progress.queries || progress.path === null || !isStaleCursor(error)) throw error
        return null
      })
      if (page === null) {
        restarted = progress.queries
        const { queryBytes: bytes, queryRecords: records } = progress
        Object.assign(progress, { path: null, bytes, records })
        writeProgress(progressPath, progress)
        ftruncateSync(file, bytes)
        seen = await recordsIn(part, bytes)
        asked = new IdSet()
        continue
      }
      asked.add(path)
      const fresh = page.records.filter((record) => isNew(record, seen))
      if (fresh.length > 0) progress.bytes += await append(file, part, linesOf(fresh))
      progress.pages += 1
      progress.records += fresh.length
      progress.path = page.nextPageUri === null ? null : nextPath(page.nextPageUri, origin, path)
      if (progress.path === null) {
        progress.queries += 1
        progress.queryBytes = progress.bytes
        progress.queryRecords = progress.records
      } else if (asked.has(progress.path)) {
        throw new UsageError(
          `the API names a page as the next that it has given before (${progress.path}): the export would never end.`,
        )
      }
      writeProgress(progressPath, progress)
      request.onPage?.(progress)
    }
    if (progress.bytes === 0) await append(file, part, '')
  } finally {
    closeSync(file)
  }
  renameSync(part, request.output)
  rmSync(progressPath, { force: true })
  syncDirectory(dirname(request.output))
  return progress
}

async function pageAt(
  path: string,
  { api, pace }: Pick<Session, 'api' | 'pace'>,
  policy: RetryPolicy,
): Promise<Page> {
  let page: Page | null = null
  const operation = fetchPage(path, (fetched) => {
    page = fetched
  })
  const item = { ordinal: 0, id: path, source: '', line: 0, record: () => ({}) }
  const never = { calls: 0, isAnswerLost: false }
  const noNotes = { sent() {}, back() {} }
  const { outcome } = await settleWithRetries(pace(operation), api, item, never, policy, noNotes)
  if (page === null) throw new ExportRefusedError(outcome)
  return page
}

/** The API has forgotten the cursor of a download that is resumed days later: its query starts over. */
function isStaleCursor(error: unknown): boolean {
  return error instanceof ExportRefusedError && [400, 404, 410, 422].includes(error.outcome.httpStatus ?? 0)
}

/** A record is a repetition when it comes again unchanged; a record without an ID never is. */
function isNew(record: unknown, seen: IdSet): boolean {
  const fields = (record ?? {}) as Record<string, unknown>
  const id = fields.conversation_id ?? fields._id ?? fields.id
  if (!isWord(id)) return true
  const updated = [fields.date_updated, fields.record_last_updated].map((word) => (isWord(word) ? word : ''))
  return seen.add(`${id} ${updated.join(' ')}`)
}

function isWord(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

/** The file's records, for telling repetitions. */
async function recordsIn(part: string, bytes: number): Promise<IdSet> {
  const seen = new IdSet()
  if (bytes === 0) return seen
  for await (const rows of json.rows({ name: part, path: part }, {})) {
    for (const row of rows) isNew(row.record(), seen)
  }
  return seen
}

function linesOf(records: readonly unknown[]): string {
  try {
    return records.map((record) => `${JSON.stringify(record)}\n`).join('')
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = 'a page has a record that is nested too deep, or too large, to be kept'
    throw new ExportRefusedError({ status: 'failed', reason: 'rejected', httpStatus: 200, message })
  }
}

/** Appends text as a gzip member of its own, and flushes it; says how many bytes that took. */
async function append(file: number, path: string, text: string): Promise<number> {
  const bytes = await gzip(text)
  onDisk(path, () => {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
    fsyncSync(file)
  })
  return bytes.length
}

function onDisk(path: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw new LogWriteError(`cannot write ${path}: ${messageOf(error)}`)
  }
}

const count = z.number().int().nonnegative()
const momentMs = z.number().nonnegative().max(8.64e15)

/** How far a download has come; kept beside it, so that it can be killed at any moment. */
const progressSchema = z.object({
  records: count,
  pages: count,
  queries: count,
  queriesAll: count,
  asked: z.string(),
  span: z
    .object({ by: z.enum(['created', 'updated']), fromMs: momentMs, toMs: momentMs })
    .refine(({ fromMs, toMs }) => toMs - fromMs <= 2 * exportHistoryMs),
  pageSize: count.positive(),
  /** Length of what is whole. */
  bytes: count,
  /** The next page; null: the first of the next query. */
  path: z.string().startsWith('/').nullable(),
  /** Where the current query began, in the file and in the counts, in case it has to start over. */
  queryBytes: count,
  queryRecords: count,
})
type Progress = z.infer<typeof progressSchema>

function readProgress(part: string, path: string, { asked, span, pageSize }: ExportRequest): Progress {
  if (!existsSync(part) || !existsSync(path)) {
    const counts = { records: 0, pages: 0, queries: 0, queriesAll: queriesOf(span).length }
    return { ...counts, asked, span, pageSize, bytes: 0, path: null, queryBytes: 0, queryRecords: 0 }
  }
  const progress = parsedOrNull(path)
  if (progress === null || !(statSync(part).size >= progress.bytes)) {
    throw new UsageError(`${part} or ${path} is damaged. Remove both to start over.`)
  }
  if (progress.asked === asked) return progress
  throw new UsageError(
    `${part} is of another export (${progress.asked}). Finish that one, name another --output, or remove it and ${path}.`,
  )
}

function parsedOrNull(path: string): Progress | null {
  try {
    return progressSchema.parse(JSON.parse(readSmallText(path)))
  } catch {
    return null
  }
}

function writeProgress(path: string, progress: Progress): void {
  onDisk(path, () => writeFileAtomically(path, `${JSON.stringify(progress)}\n`))
}
