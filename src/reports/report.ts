import type { Writable } from 'node:stream'
import type { History } from '../checkpoint/history.js'
import type { SettledItem } from '../outcome.js'
import type { RunFile } from '../run-file.js'

/** The promise of a report format: writes what became of a run to a stream, which it does not end. */
export interface Report {
  /** What `report --format` calls it. */
  readonly format: string
  readonly fileName: string
  write(run: ReportedRun, out: Writable): Promise<void>
}

/** What a report is made from: what was asked, and what the checkpoint says. Nothing is read before it is asked for. */
export interface ReportedRun {
  /** As it was asked for first; `history` tells of an input that was changed since. */
  run: RunFile
  /** The settled items, in the order of the input. */
  items(): AsyncIterable<readonly SettledItem[]>
  /** What happened, in the order in which it did. Returns where it ends. */
  history(see: History): { head: string; lastMs: number }
}

/** What a report with a row for each item has to say. */
export interface Rows {
  readonly format: string
  readonly fileName: string
  /** What stands before the first item, line end included. */
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

/** Writes, and waits where the stream is slow. */
export async function writePiece(out: Writable, piece: string): Promise<void> {
  if (!out.write(piece)) await new Promise((resolve) => out.once('drain', resolve))
}
