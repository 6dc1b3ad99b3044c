import { PassThrough, type Readable } from 'node:stream'
import type { Report, ReportedRun } from './report.js'

/** A report as it is made from the checkpoint. */
export function rendering(report: Report, run: ReportedRun): Readable {
  const out = new PassThrough()
  report.write(run, out).then(
    () => out.end(),
    (error) => out.destroy(error),
  )
  return out
}
