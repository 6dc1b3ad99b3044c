import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { LogWriteError } from '../checkpoint/log.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job, JobFlags } from '../job.js'
import { KeyRefusedError } from '../operations/retry.js'
import { ApiDownError } from '../pacing/breaker.js'
import { LedgerLostError } from '../pacing/ledger.js'
import type { Coordination } from '../runs/coordination.js'
import { ExportRefusedError, fetchExport } from '../runs/export.js'
import { exportLimits } from '../runs/export-pages.js'
import type { Flags } from '../settings/flags.js'
import { type ExportSpan, newSettings } from '../settings/run-settings.js'
import { parseDuration } from '../settings/values.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { Stop } from '../system/stop.js'
import { exportSpan, pageSizeOf } from './export-span.js'
import type { Shell } from './shell.js'

/** What the download is called in a run's directory, and in its report. */
const fileName = 'export.jsonl.gz'

/** Nights overlap by so much: a record may reach Data Export late. */
const overlapMs = 86_400_000

/** What the sandbox's export holds when a command starts one for itself. */
export const sandboxConversations = 500

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

export interface LiveInput {
  flags: Flags
  jobFlags: JobFlags
  memory: SyncState | null
  nowMs: number
  /** Where the download is kept. */
  directory: string
  origin: string
  key: string
  isSandbox: boolean
  coordination: Coordination
  shell: Shell
}

/** The download came to no end, so the run did not begin; a person has to look. */
class DownloadFailed extends UsageError {
  constructor(
    because: string,
    readonly exitCode = 4,
  ) {
    super(`the download failed: ${because}`)
  }
}

/** Downloads the input from Data Export into a file, which the run then reads as any other. */
export async function liveInput(input: LiveInput): Promise<{ files: InputFile[]; live: ExportSpan | null }> {
  const { flags, shell } = input
  const span = liveSpan(input)
  const path = join(input.directory, fileName)
  if (span === null)
    throw new UsageError(
      'nothing can be stale yet: --updated-since lies after the latest moment that is idle for long enough.',
    )
  if (!flags.quiet)
    shell.notice(`Downloading what was ${span.by} from ${iso(span.fromMs)} to ${iso(span.toMs)}.`)
  try {
    const request = { span, asked: '', output: path, pageSize: pageSizeOf(flags) }
    // The flags for limits are about what is done to the conversations; Data Export has its own.
    const settings = newSettings(
      { share: flags.share, timeout: flags.timeout, attempts: flags.attempts },
      { operation: { limits: exportLimits } },
    )
    const { origin, key, isSandbox } = input
    const { openLedger } = input.coordination
    const access = { origin, key, isSandbox }
    const { records } = await fetchExport(request, access, settings, openLedger, new Stop())
    // As input, a file without anything in it is a mistake; a page without records is none.
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
 * The flags' span; else from where the job's last run left nothing to do. What was updated later than the rule
 * allows is not even downloaded.
 */
function liveSpan({ flags, jobFlags, memory, nowMs, shell }: LiveInput): ExportSpan | null {
  const { idle } = jobFlags
  const isByCreated = flags['created-since'] !== undefined
  if (memory !== null && !isByCreated && jobFlags['date-column'] !== undefined) {
    throw new UsageError(
      '--date-column is for files: a job that remembers goes by date_updated, as Data Export does. Leave it out.',
    )
  }
  const latestMs = idle === undefined || isByCreated ? nowMs : nowMs - parseDuration(idle, '--idle')
  const span = exportSpan(flags, nowMs, shell.notice)
  const toMs = Math.min(span.toMs, latestMs + 1)
  const isAsked = flags['updated-since'] !== undefined || isByCreated
  const settledToMs = isAsked ? null : (memory?.highWaterMarkMs ?? null)
  // With a longer --idle than last night's, everything may be settled that is stale by it.
  const fromMs =
    settledToMs === null ? span.fromMs : Math.max(span.fromMs, Math.min(settledToMs, toMs) - overlapMs)
  return fromMs < toMs ? { ...span, fromMs, toMs } : null
}

function iso(ms: number): string {
  return new Date(ms).toISOString().slice(0, 16).replace('T', ' ')
}
