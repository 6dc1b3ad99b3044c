import { closeSync, existsSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import { LogWriteError, scanLines } from '../checkpoint/log.js'
import type { Outcome, SettledItem } from '../item.js'
import type { ExportSpan } from '../settings/run-settings.js'
import { exportHistoryMs } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { writeFileAtomically } from '../system/files.js'
import { messageOf } from '../system/text.js'
import type { Memory } from './settled-before.js'

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

/** What to remember of an outcome; null when it says nothing about the conversation. */
function rememberedKind({ status, reason, httpStatus }: Outcome): RememberedKind | null {
  if (status === 'succeeded') return 'done'
  if (status === 'failed' && httpStatus !== null && lastingStatuses.includes(httpStatus)) return 'refused'
  return status === 'failed' || status === 'unknown' || reason === 'on_hold' ? 'pending' : null
}

/** A memory as lines in one file, of which the last about an ID counts, and where the next run begins in another. */
export class FileMemory implements Memory {
  readonly #path: string
  readonly #nightPath: string
  readonly #settled = new Map<string, Remembered>()
  #file: number
  settledToMs: number | null

  constructor(path: string, nightPath: string) {
    this.#path = path
    this.#nightPath = nightPath
    this.settledToMs = existsSync(nightPath) ? readNight(nightPath) : null
    if (existsSync(path))
      scanLines(path, (buffer, start, end) => this.#read(buffer.toString('utf8', start, end)))
    this.#file = openSync(path, 'a', 0o600)
  }

  isSettled(id: string, updatedMs: number | null): boolean {
    const found = this.#settled.get(id)
    if (found === undefined || found.kind === 'pending') return false
    return found.kind === 'done' || (updatedMs !== null && updatedMs <= found.updatedMs)
  }

  remember(id: string, updatedMs: number | null, outcome: Outcome, atMs: number): void {
    const kind = rememberedKind(outcome)
    // What is settled does not come up again for being put on hold.
    if (kind === null || (kind === 'pending' && this.isSettled(id, updatedMs))) return
    const remembered = { kind, updatedMs: updatedMs ?? this.#settled.get(id)?.updatedMs ?? atMs, atMs }
    this.#settled.set(id, remembered)
    // With a line end before it too, so that a line torn by a full disk spoils only itself.
    const bytes = Buffer.from(`\n${lineOf(id, remembered)}\n`)
    onDisk(this.#path, () => {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done)
    })
  }

  catchUp(settled: SettledItem, updatedFromMs: number): void {
    const atMs = Date.parse(settled.finishedAt)
    const known = this.#settled.get(settled.id)
    if (known === undefined || known.atMs < atMs) this.remember(settled.id, updatedFromMs, settled, atMs)
  }

  finished(span: ExportSpan, startedMs: number): void {
    const oldestMs = startedMs - exportHistoryMs
    let pendingFromMs = Number.POSITIVE_INFINITY
    for (const [id, { kind, updatedMs, atMs }] of this.#settled) {
      if (kind !== 'pending') continue
      // It was updated in this span once, and this run did not meet it there: it was touched since.
      const isMissing = atMs < startedMs && updatedMs >= span.fromMs && updatedMs < span.toMs
      if ((span.by === 'updated' && isMissing) || updatedMs < oldestMs) this.#settled.delete(id)
      else pendingFromMs = Math.min(pendingFromMs, updatedMs)
    }
    // A span that begins later than what was settled leaves a gap, which the next run has to fill.
    const isGap = span.fromMs > Math.max(this.settledToMs ?? oldestMs, oldestMs)
    if (span.by === 'updated' && !isGap) this.settledToMs = Math.max(span.toMs, this.settledToMs ?? span.toMs)
    if (this.settledToMs !== null) this.settledToMs = Math.min(this.settledToMs, pendingFromMs)
    const forgetBeforeMs = (this.settledToMs ?? oldestMs) - keepMs
    for (const [id, { kind, atMs }] of this.#settled) {
      if (kind !== 'pending' && atMs < forgetBeforeMs) this.#settled.delete(id)
    }
    const lines = [...this.#settled].map(([id, remembered]) => `${lineOf(id, remembered)}\n`)
    onDisk(this.#path, () => {
      writeFileAtomically(this.#path, lines.join(''))
      closeSync(this.#file)
      this.#file = openSync(this.#path, 'a', 0o600)
      writeFileAtomically(this.#nightPath, `${JSON.stringify({ settledToMs: this.settledToMs })}\n`)
    })
  }

  close(): void {
    fsyncSync(this.#file)
    closeSync(this.#file)
  }

  /** Of a line that is torn the conversation is called once more, which does nothing new. */
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

function readNight(path: string): number | null {
  const settledToMs = parsed(readFileSync(path, 'utf8'))?.settledToMs
  if (typeof settledToMs === 'number' || settledToMs === null) return settledToMs
  throw new UsageError(`${path} is damaged. Remove it: the next run then looks at the whole history.`)
}

/** Null for what is torn. */
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
