import { closeSync, createWriteStream, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import type { History } from '../checkpoint/history.js'
import { type RunRecord, readRecord } from '../checkpoint/items.js'
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
    read: (history) => readRecord(directory.checkpoint, history, bytesMax),
  }
}

/** A run as reports read it. Nothing is read before it is needed. */
export interface ReportedRun {
  /** As it was first requested; its history tells of a changed input. */
  run: RunFile
  read(history?: History): Omit<RunRecord, 'items'> & { items: AsyncIterable<readonly SettledItem[]> }
}

/** A report format: writes the outcomes of a run to a stream, which it does not end. */
export interface Report {
  /** Its name for `report --format`. */
  readonly format: string
  readonly fileName: string
  begin(run: RunFile, out: Writable): ReportWriter
  /** The version that has written a report, which begins like this; null if it does not say. Absent where every version writes the same. */
  versionIn?(head: string): string | null
}

/** Hears the history of a run, if it wants to, and then the items in the order of the input. */
export interface ReportWriter {
  history?: History
  add(items: readonly SettledItem[]): Promise<void> | void
  end(end: Pick<RunRecord, 'head' | 'lastMs'>): Promise<void> | void
}

/** Writes one report to a stream. */
export async function writeReport(report: Report, run: ReportedRun, out: Writable): Promise<void> {
  const writer = report.begin(run.run, out)
  const { items, ...end } = run.read(writer.history)
  for await (const batch of items) await writer.add(batch)
  await writer.end(end)
}

/** Writes a report beside its path, flushes it, and renames it. Mode 0600. */
export async function writeReportFile(report: Report, run: ReportedRun, path: string): Promise<void> {
  const [fault] = (await writeReportFiles([{ report, path }], run)).values()
  if (fault !== undefined) throw fault
}

/** The same for several, which read the run together. Returns what went wrong, by report: the others are written. */
export async function writeReportFiles(
  wanted: readonly { report: Report; path: string }[],
  { run, read }: ReportedRun,
): Promise<Map<Report, unknown>> {
  const faults = new Map<Report, unknown>()
  const files = wanted.map(({ report, path }) => new ReportFile(report, path, run))
  const onEach = async (act: (file: ReportFile) => Promise<void> | void) => {
    for (const file of files) {
      if (faults.has(file.report)) continue
      try {
        await act(file)
        if (file.fault !== null) throw file.fault
      } catch (error) {
        faults.set(file.report, error)
        file.discard()
      }
    }
  }
  try {
    // At most one of them hears the history.
    const history = files.find(({ writer }) => writer.history !== undefined)?.writer.history
    const { items, ...end } = read(history)
    for await (const batch of items) await onEach(({ writer }) => writer.add(batch))
    await onEach(async (file) => {
      await file.writer.end(end)
      await file.finish()
    })
  } catch (error) {
    await onEach(() => Promise.reject(error))
  }
  return faults
}

/** One report while it is written. */
class ReportFile {
  readonly report: Report
  readonly writer: ReportWriter
  readonly #path: string
  readonly #beside: string
  readonly #out: Writable

  constructor(report: Report, path: string, run: RunFile) {
    this.report = report
    this.#path = path
    this.#beside = `${path}.${process.pid}.tmp`
    this.#out = createWriteStream(this.#beside, { mode: 0o600 })
    // It may fail while nothing waits.
    this.#out.on('error', () => {})
    this.writer = report.begin(run, this.#out)
  }

  get fault(): Error | null {
    return this.#out.errored
  }

  async finish(): Promise<void> {
    this.#out.end()
    await finished(this.#out)
    const file = openSync(this.#beside, 'r')
    try {
      fsyncSync(file)
    } finally {
      closeSync(file)
    }
    renameSync(this.#beside, this.#path)
    syncDirectory(resolve(this.#path, '..'))
  }

  discard(): void {
    this.#out.destroy()
    rmSync(this.#beside, { force: true })
  }
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
    begin(_run, out) {
      let text = rows.head
      const flush = async () => {
        const piece = text
        text = ''
        if (piece !== '') await writePiece(out, piece)
      }
      return {
        add(items) {
          text += items.map((item) => rows.row(item)).join('')
          return flush()
        },
        end: flush,
      }
    },
  }
}

/** Writes, and waits for a slow stream; not for one that has failed. */
export async function writePiece(out: Writable, piece: string): Promise<void> {
  if (out.write(piece) || out.destroyed) return
  await new Promise<void>((resolve) => {
    const done = () => {
      out.off('drain', done)
      out.off('close', done)
      resolve()
    }
    out.on('drain', done)
    out.on('close', done)
  })
}
