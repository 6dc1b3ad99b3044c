import type { Writable } from 'node:stream'
import type { SettledItem } from '../outcome.js'

/** The promise of a report format: writes the settled items, in the order of the input, to a stream. */
export interface Report {
  /** What `report --format` calls it. */
  readonly format: string
  readonly fileName: string
  /** What stands before the first item, line end included. */
  readonly head: string
  /** One item's text, line end included. */
  row(item: SettledItem): string
}

/** Writes a whole report. Does not end the stream. */
export async function writeReport(
  report: Report,
  items: AsyncIterable<readonly SettledItem[]>,
  out: Writable,
): Promise<void> {
  out.write(report.head)
  for await (const batch of items) {
    const isRoomLeft = out.write(batch.map((item) => report.row(item)).join(''))
    if (!isRoomLeft) await new Promise((resolve) => out.once('drain', resolve))
  }
}
