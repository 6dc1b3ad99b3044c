import { PassThrough, type Readable } from 'node:stream'
import { reportedRun } from '../reported-run.js'
import type { Report } from '../reports/report.js'
import type { RunDirectory } from '../run-directory.js'

/** A report as it is made from the first `bytes` bytes of the checkpoint. */
export function rendering(report: Report, directory: RunDirectory, bytes: number): Readable {
  const out = new PassThrough()
  report.write(reportedRun(directory, bytes), out).then(
    () => out.end(),
    (error) => out.destroy(error),
  )
  return out
}
