import { createWriteStream, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { gzipSync } from 'node:zlib'
import { LogWriteError } from '../checkpoint/log.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job, JobFlags } from '../job.js'
import { KeyRefusedError } from '../operations/retry.js'
import { ApiDownError } from '../pacing/breaker.js'
import { LedgerLostError } from '../pacing/ledger.js'
import { ExportRefusedError, fetchExport } from '../runs/export.js'
import { exportLimits } from '../runs/export-pages.js'
import { type Flags, valueIn } from '../settings/flags.js'
import { type ExportSpan, exportSpan, newSettings } from '../settings/run-settings.js'
import { parseDuration } from '../settings/values.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { Stop } from '../system/stop.js'
import type { InputPlace } from './request.js'
import type { Terminal } from './terminal.js'

/** What the download is called in a run's directory, and in its report. */
const fileName = 'export.jsonl.gz'

/** How far the spans of following runs overlap: a record may reach Data Export late. */
const overlapMs = 86_400_000

/** Conversations in the export of a sandbox that a command starts for itself. */
export const sandboxConversations = 500

/** The files that `--input` or `--hold` name, with their absolute paths. */
export function namedFiles(names: readonly string[] | undefined): InputFile[] {
  return (names ?? []).map((name) => ({ name, path: resolve(name) }))
}

export function requiredInput({ input }: Pick<Flags, 'input'>): readonly string[] {
  if (input !== undefined && input.length > 0) return input
  throw new UsageError('no input: name a file with --input, or read stdin with --input -.')
}

/** The files of the input. Stdin is copied into the directory first, so that it can be read again, also after a power cut. */
export async function inputFiles(names: readonly string[], directory: string): Promise<InputFile[]> {
  const files = namedFiles(names)
  const stdin = files.filter(({ name }) => name === '-')
  if (stdin.length > 1) throw new UsageError('--input - is given twice: stdin can be read once.')
  for (const file of stdin) {
    file.path = join(directory, 'stdin')
    await pipeline(process.stdin, createWriteStream(file.path, { mode: 0o600, flush: true }))
  }
  return files
}

/** Whether the input comes from Data Export now. */
export function isLiveInput(
  flags: { live?: boolean | undefined; input?: unknown },
  job: Pick<Job, 'isLive'>,
): boolean {
  const isLive = flags.live ?? job.isLive ?? false
  if (isLive && flags.input !== undefined) {
    throw new UsageError(
      '--input names a file, and the input is to be downloaded (--live): give one of them.',
    )
  }
  return isLive
}

/** The download failed, so the run did not begin; a person has to look. */
class DownloadFailed extends UsageError {
  constructor(
    because: string,
    readonly exitCode = 4,
  ) {
    super(`the download failed: ${because}`)
  }
}

/** Downloads the input from Data Export into a file, which the run then reads like any other. */
export async function liveInput(
  flags: Flags,
  jobFlags: JobFlags,
  isSandbox: boolean,
  { directory, syncState, nowMs, origin, key, host }: InputPlace,
  terminal: Terminal,
): Promise<{ files: InputFile[]; live: ExportSpan }> {
  const span = liveSpan(flags, jobFlags, syncState, nowMs, terminal)
  const path = join(directory, fileName)
  if (!flags.quiet)
    terminal.notice(`Downloading what was ${span.by} from ${iso(span.fromMs)} to ${iso(span.toMs)}.`)
  // The flags for limits are about what is done to the conversations; Data Export has its own.
  const pace = { share: flags.share, timeout: flags.timeout, attempts: flags.attempts }
  const settings = newSettings(pace, { operation: { limits: exportLimits } })
  const request = { span, asked: '', output: path, pageSize: valueIn(flags, 'page-size') }
  try {
    const access = { origin, key, isSandbox }
    const { records } = await fetchExport(request, access, settings, host.openLedger, new Stop())
    // An input file with nothing in it is a mistake; a page without records is not.
    if (records === 0) writeFileSync(path, gzipSync('{"data":[]}\n'), { mode: 0o600 })
  } catch (error) {
    throw withExitCode(error)
  }
  return { files: [{ name: fileName, path }], live: span }
}

function withExitCode(error: unknown): unknown {
  if (error instanceof LedgerLostError) return new DownloadFailed(error.message, 75)
  const isForPerson = [ExportRefusedError, KeyRefusedError, ApiDownError, LogWriteError].some(
    (kind) => error instanceof kind,
  )
  return isForPerson ? new DownloadFailed((error as Error).message) : error
}

/**
 * The span that the flags name; else it begins where the job's last run left nothing to do. What was updated later than
 * the rule allows is not even downloaded.
 */
function liveSpan(
  flags: Flags,
  { idle, 'date-column': dateColumn }: JobFlags,
  syncState: SyncState | null,
  nowMs: number,
  terminal: Terminal,
): ExportSpan {
  const isByCreated = flags['created-since'] !== undefined
  if (syncState !== null && !isByCreated && dateColumn !== undefined) {
    throw new UsageError(
      '--date-column is for files: a job that remembers goes by date_updated, as Data Export does. Leave it out.',
    )
  }
  const latestMs = idle === undefined || isByCreated ? nowMs : nowMs - parseDuration(idle, '--idle')
  const span = exportSpan(flags, nowMs, terminal.notice)
  const toMs = Math.min(span.toMs, latestMs + 1)
  const isAsked = flags['updated-since'] !== undefined || isByCreated
  const settledToMs = isAsked ? null : (syncState?.highWaterMarkMs ?? null)
  // With a longer --idle than in the last run, everything may be settled that is stale by it.
  const fromMs =
    settledToMs === null ? span.fromMs : Math.max(span.fromMs, Math.min(settledToMs, toMs) - overlapMs)
  if (fromMs < toMs) return { ...span, fromMs, toMs }
  throw new UsageError(
    'nothing can be stale yet: --updated-since lies after the latest moment that is idle for long enough.',
  )
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}
