import { createWriteStream, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { finished } from 'node:stream/promises'
import { findRun, type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { csvReport } from '../reports/csv.js'
import { htmlReport } from '../reports/html.js'
import { jsonLinesReport } from '../reports/json-lines.js'
import { writePack } from '../reports/pack.js'
import { type Report, reportedRun, writeReport, writeReportFile } from '../reports/report.js'
import { verifyRun } from '../reports/verify.js'
import { recordedIdRules } from '../runs/id-rules.js'
import { runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import { type FlagsOf, valueIn } from '../settings/flags.js'
import { pseudonymsOfRun } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { relativePath } from './show.js'
import type { Terminal } from './terminal.js'

/** Every format of a report. */
export const reports: readonly Report[] = [csvReport, htmlReport, jsonLinesReport]

export const command: Command = {
  examples: [
    ['report latest --format jsonl', 'One JSON object an item'],
    ['report latest --format csv --output -', 'On stdout'],
    ['report latest --format pack --output tonight.zip', 'For the auditor'],
  ],

  async run(flags: FlagsOf<'report'> & { run: string }, terminal) {
    const directory = findRun(runsDirectory(flags, terminal.environment), flags.run)
    if (flags.format === 'pack') return packRun(directory, flags.output, terminal)
    const report = reports.find(({ format }) => format === valueIn(flags, 'format', 'report'))!
    const run = reportedRun(directory)
    if (flags.output === '-') {
      await writeReport(report, run, process.stdout)
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
    terminal.print(relativePath(path))
    return 0
  },
}

/** `report --format pack`: verifies a run and packs its record; 3 when something in it is not right. */
async function packRun(
  directory: RunDirectory,
  output: string | undefined,
  terminal: Terminal,
): Promise<number> {
  if (runState(directory).kind === 'running')
    throw new UsageError(`${directory.name} is at work: pack it when it has ended, or stop it first.`)
  const run = readRunFile(directory)
  const idRules = await recordedIdRules(run, pseudonymsOfRun(run, terminal.environment))
  const verified = await verifyRun(directory, { reports, idRules })
  const names = reports.map(({ fileName }) => fileName)
  if (output === '-') await writePack(directory, verified, names, process.stdout)
  else terminal.print(relativePath(await writePackFile(directory, verified, names, output)))
  const { isRight, checks } = verified.verification
  for (const check of checks)
    if (check.isRight === false) terminal.notice(`NOT ${check.name}: ${check.finding}`)
  return isRight ? 0 : 3
}

/** Beside, and in its place when it is whole. */
async function writePackFile(
  directory: RunDirectory,
  verified: Parameters<typeof writePack>[1],
  names: readonly string[],
  output = `${directory.name}.zip`,
): Promise<string> {
  const path = resolve(output)
  const beside = `${path}.${process.pid}.tmp`
  try {
    const out = createWriteStream(beside, { mode: 0o600, flush: true })
    await writePack(directory, verified, names, out)
    out.end()
    await finished(out)
    renameSync(beside, path)
    return path
  } catch (error) {
    try {
      rmSync(beside, { force: true })
    } catch {
      // Below something that is no directory nothing was made.
    }
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`cannot write ${path} (${code}). Name another file with --output, or - for stdout.`)
  }
}
