import { createHash } from 'node:crypto'
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { RunEvent, RunListener } from '../checkpoint/events.js'
import { LogWriteError, scanLines } from '../checkpoint/log.js'
import type { Item, Outcome, SettledItem } from '../item.js'
import type { Filter, Job, JobFlags } from '../job.js'
import { type ExportSpan, exportHistoryMs } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory, writeFileAtomically } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { updatedMsOf } from './dates.js'
import { refused } from './refusal.js'

/** Excludes what an earlier run of the job has settled, unless it was touched later and may be open again. */
export function notSettledBefore(syncState: Pick<SyncState, 'isSettled'>): Filter {
  return {
    name: 'memory',
    judge: (item) =>
      syncState.isSettled(item.id, updatedMsOf(item.record())) ? refused('settled_before') : null,
  }
}

/** `rule` tells apart jobs that filter otherwise. Throws a UsageError when the state directory cannot be used. */
export function openSyncState(
  stateDirectory: string,
  job: string,
  instance: string,
  rule: string,
): SyncState {
  const hash = createHash('sha256').update(`${job}\n${instance}\n${rule}`).digest('hex').slice(0, 12)
  const directory = join(stateDirectory, 'memory', `${basename(job)}-${hash}`)
  try {
    makeDirectory(directory, 0o700)
    return new SyncState(join(directory, 'settled.jsonl'), join(directory, 'night.json'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(
      `cannot use the job's memory in ${directory} (${code}). Name a writable place with ADA_BULK_STATE.`,
    )
  }
}

/** The sync state of a run; null when its job keeps none, or its sandbox is gone afterwards. */
export function openSyncStateOf(
  run: { stateDirectory: string; jobFlags: JobFlags; isSandbox: boolean; isParallel: boolean },
  job: Pick<Job, 'remembers'>,
  jobName: string,
  instance: string,
): SyncState | null {
  if (!job.remembers || run.isSandbox) return null
  if (run.isParallel)
    throw new UsageError('--parallel is not for a job that remembers: two runs would forget for each other.')
  // A longer or shorter --idle is the same rule at another time; another filter is another rule.
  const { idle: _idle, ...rule } = run.jobFlags
  return openSyncState(run.stateDirectory, jobName, instance, JSON.stringify(rule))
}

interface Remembered {
  kind: RememberedKind
  /** Of the record that was settled. */
  updatedMs: number
  atMs: number
}

type RememberedKind =
  /** Ended: whatever touches it later (a survey's answer) does not open it again. */
  | 'done'
  /** Another call would say the same, unless it is touched: it does not exist, or cannot be ended. */
  | 'refused'
  /** Failed for a while, or was on hold: has to come up again. */
  | 'pending'

/** An ended conversation may still be touched for a while, and then comes up again. */
const keepMs = 120 * 86_400_000

/** These are about the conversation. A 408, a 409 or a redirect may be about the hour. */
const lastingStatuses = [400, 404, 405, 410, 422]

/** Null when the outcome says nothing about the conversation. */
function rememberedKind({ status, reason, httpStatus }: Outcome): RememberedKind | null {
  if (status === 'succeeded') return 'done'
  if (status === 'failed' && httpStatus !== null && lastingStatuses.includes(httpStatus)) return 'refused'
  return status === 'failed' || status === 'unknown' || reason === 'on_hold' ? 'pending' : null
}

/**
 * What a job has settled on an instance, over all its runs. Data Export does not say that a conversation is ended, so
 * a nightly job would call the same ones every night. It is kept in the state directory: one file of lines, of which
 * the last about an ID counts, and one with the high-water mark.
 */
export class SyncState implements RunListener {
  readonly #path: string
  readonly #markPath: string
  readonly #settled = new Map<string, Remembered>()
  #file: number
  /** Everything that was last updated before this (Unix) is settled, so the next run begins here; null at first. */
  highWaterMarkMs: number | null

  constructor(path: string, markPath: string) {
    this.#path = path
    this.#markPath = markPath
    this.highWaterMarkMs = existsSync(markPath) ? readMark(markPath) : null
    if (existsSync(path))
      scanLines(path, (buffer, start, end) => this.#read(buffer.toString('utf8', start, end)))
    this.#file = openSync(path, 'a', 0o600)
  }

  on(event: RunEvent, item?: Item): void {
    if (event.event !== 'settled' || item === undefined) return
    const { settled } = event
    this.remember(item.id, updatedMsOf(item.record()), settled, Date.parse(settled.finishedAt))
  }

  /** Whether a conversation that was last updated then needs no call any more. */
  isSettled(id: string, updatedMs: number | null): boolean {
    const found = this.#settled.get(id)
    if (found === undefined || found.kind === 'pending') return false
    return found.kind === 'done' || (updatedMs !== null && updatedMs <= found.updatedMs)
  }

  /** Keeps an outcome, or that the item has to come up again. Survives a kill. Throws a LogWriteError. */
  remember(id: string, updatedMs: number | null, outcome: Outcome, atMs: number): void {
    const kind = rememberedKind(outcome)
    // A settled item does not come up again because it is put on hold.
    if (kind === null || (kind === 'pending' && this.isSettled(id, updatedMs))) return
    const remembered = { kind, updatedMs: updatedMs ?? this.#settled.get(id)?.updatedMs ?? atMs, atMs }
    this.#settled.set(id, remembered)
    // A line end before it, too, so that a line torn by a full disk spoils only itself.
    const bytes = Buffer.from(`\n${lineOf(id, remembered)}\n`)
    onDisk(this.#path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done)
    })
  }

  /**
   * The same for an item that a resumed run finds settled, if a crash came before it was kept here. It was updated at
   * `updatedFromMs` or later.
   */
  catchUp(settled: SettledItem, updatedFromMs: number): void {
    const atMs = Date.parse(settled.finishedAt)
    const known = this.#settled.get(settled.id)
    if (known === undefined || known.atMs < atMs) this.remember(settled.id, updatedFromMs, settled, atMs)
  }

  /** A run over this span is finished: moves the high-water mark, and forgets what cannot come up again. */
  finished(span: ExportSpan, startedMs: number): void {
    const oldestMs = startedMs - exportHistoryMs
    let pendingFromMs = Number.POSITIVE_INFINITY
    for (const [id, { kind, updatedMs, atMs }] of this.#settled) {
      if (kind !== 'pending') continue
      // It was updated in this span, and this run did not find it there: it was touched later.
      const isMissing = atMs < startedMs && updatedMs >= span.fromMs && updatedMs < span.toMs
      if ((span.by === 'updated' && isMissing) || updatedMs < oldestMs) this.#settled.delete(id)
      else pendingFromMs = Math.min(pendingFromMs, updatedMs)
    }
    // A span that begins later than what was settled leaves a gap, which the next run has to fill.
    const isGap = span.fromMs > Math.max(this.highWaterMarkMs ?? oldestMs, oldestMs)
    if (span.by === 'updated' && !isGap)
      this.highWaterMarkMs = Math.max(span.toMs, this.highWaterMarkMs ?? span.toMs)
    if (this.highWaterMarkMs !== null) this.highWaterMarkMs = Math.min(this.highWaterMarkMs, pendingFromMs)
    const forgetBeforeMs = (this.highWaterMarkMs ?? oldestMs) - keepMs
    for (const [id, { kind, atMs }] of this.#settled) {
      if (kind !== 'pending' && atMs < forgetBeforeMs) this.#settled.delete(id)
    }
    const lines = [...this.#settled].map(([id, remembered]) => `${lineOf(id, remembered)}\n`)
    onDisk(this.#path, () => {
      writeFileAtomically(this.#path, lines.join(''))
      closeSync(this.#file)
      this.#file = openSync(this.#path, 'a', 0o600)
      writeFileAtomically(this.#markPath, `${JSON.stringify({ settledToMs: this.highWaterMarkMs })}\n`)
    })
  }

  close(): void {
    fsyncSync(this.#file)
    closeSync(this.#file)
  }

  /** The conversation of a torn line is called once more, which changes nothing. */
  #read(line: string): void {
    const { id, kind, updatedMs, atMs } = parsed(line) ?? {}
    const isWhole = typeof updatedMs === 'number' && typeof atMs === 'number'
    if (typeof id === 'string' && isWhole)
      this.#settled.set(id, { kind: kind as RememberedKind, updatedMs, atMs })
  }
}

function lineOf(id: string, remembered: Remembered): string {
  return JSON.stringify({ id, ...remembered })
}

function readMark(path: string): number | null {
  const settledToMs = parsed(readFileSync(path, 'utf8'))?.settledToMs
  if (typeof settledToMs === 'number' || settledToMs === null) return settledToMs
  throw new UsageError(`${path} is damaged. Remove it: the next run then looks at the whole history.`)
}

/** Null when the text is torn. */
function parsed(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function onDisk(path: string, write: () => void): void {
  try {
    write()
  } catch (error) {
    throw new LogWriteError(`cannot write ${path}: ${messageOf(error)}`)
  }
}
