import { closeSync, createWriteStream, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { type History, readHistory } from '../checkpoint/history.js'
import { settledItems } from '../checkpoint/items.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { SettledItem } from '../item.js'
import { syncDirectory } from '../system/files.js'

/**
 * Reads a run from run.json and the checkpoint, so that a report is the same whenever it is written. With `bytesMax`, from
 * the first bytes of the checkpoint only.
 */
export function reportedRun(directory: RunDirectory, bytesMax?: number): ReportedRun {
  return {
    run: readRunFile(directory),
    items: () => settledItems(directory.checkpoint, bytesMax),
    history: (see) => readHistory(directory.checkpoint, see, bytesMax),
  }
}

/** Writes a report beside its path, flushes it, and renames it. Mode 0600. */
export async function writeReportFile(report: Report, run: ReportedRun, path: string): Promise<void> {
  const beside = `${path}.${process.pid}.tmp`
  try {
    const out = createWriteStream(beside, { mode: 0o600 })
    await Promise.all([finished(out), report.write(run, out).finally(() => out.end())])
    const file = openSync(beside, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(beside, path)
  } catch (error) {
    rmSync(beside, { force: true })
    throw error
  }
  syncDirectory(resolve(path, '..'))
}

/** A report format: writes the outcomes of a run to a stream, which it does not end. */
export interface Report {
  /** Its name for `report --format`. */
  readonly format: string
  readonly fileName: string
  write(run: ReportedRun, out: Writable): Promise<void>
  /** The version that has written a report, which begins like this; null if it does not say. Absent where every version writes the same. */
  versionIn?(head: string): string | null
}

/** A run as reports read it. Nothing is read before it is needed. */
export interface ReportedRun {
  /** As it was first requested; `history` tells of a changed input. */
  run: RunFile
  /** The settled items, in the order of the input. */
  items(): AsyncIterable<readonly SettledItem[]>
  /** Plays the events in their order. Returns where they end. */
  history(see: History): { head: string; lastMs: number }
}

/** A format with a row for each item. */
export interface Rows {
  readonly format: string
  readonly fileName: string
  /** The text before the first item, line end included. */
  readonly head: string
  /** One item's text, line end included. */
  row(item: SettledItem): string
}

/** Makes a report of rows. */
export function rowsReport<R extends Rows>(rows: R): R & Report {
  return {
    ...rows,
    async write(run, out) {
      await writePiece(out, rows.head)
      for await (const batch of run.items()) {
        await writePiece(out, batch.map((item) => rows.row(item)).join(''))
      }
    },
  }
}

/** Writes, and waits for a slow stream. */
export async function writePiece(out: Writable, piece: string): Promise<void> {
  if (!out.write(piece)) await new Promise((resolve) => out.once('drain', resolve))
}
