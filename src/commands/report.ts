import { join, resolve } from 'node:path'
import { findRun } from '../checkpoint/directory.js'
import { csvReport } from '../reports/csv.js'
import { htmlReport } from '../reports/html.js'
import { jsonLinesReport } from '../reports/json-lines.js'
import { type Report, reportedRun, writeReportFile } from '../reports/report.js'
import { runsDirectory } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { type Command, optionsOf } from './command.js'
import { packRun } from './pack.js'
import { relativePath } from './show.js'

/** Every format of a report. */
export const reports: readonly Report[] = [csvReport, htmlReport, jsonLinesReport]

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', { type: 'string', describe: "A run's directory or name, or latest" })
      .options(optionsOf('report'))
      .example('$0 report latest --format jsonl', 'One JSON object an item')
      .example('$0 report latest --format csv --output -', 'On stdout')
      .example('$0 report latest --format pack --output tonight.zip', 'For the auditor'),

  async run(flags: FlagsOf<'report'> & { run: string }, shell) {
    const directory = findRun(runsDirectory(flags, shell.environment), flags.run)
    if (flags.format === 'pack') return packRun(directory, reports, flags.output, shell)
    const report = reports.find(({ format }) => format === (flags.format ?? 'csv'))!
    const run = reportedRun(directory)
    if (flags.output === '-') {
      await report.write(run, process.stdout)
      return 0
    }
    const path = resolve(flags.output ?? join(directory.path, report.fileName))
    try {
      await writeReportFile(report, run, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === undefined) throw error
      throw new UsageError(
        `cannot write ${path} (${code}). Name another file with --output, or - for stdout.`,
      )
    }
    shell.print(relativePath(path))
    return 0
  },
}
