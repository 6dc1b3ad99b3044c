import { PassThrough, type Readable } from 'node:stream'
import { settledItems } from '../checkpoint/rows.js'
import { type Report, writeReport } from '../reports/report.js'
import type { RunDirectory } from '../run-directory.js'

/** A report as it is made from the first `bytes` bytes of the checkpoint. */
export function rendering(report: Report, directory: RunDirectory, bytes: number): Readable {
  const out = new PassThrough()
  writeReport(report, settledItems(directory.checkpoint, bytes), out).then(
    () => out.end(),
    (error) => out.destroy(error),
  )
  return out
}
