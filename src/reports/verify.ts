import { existsSync } from 'node:fs'
import { type RunDirectory, readRunFile, readSummary } from '../checkpoint/directory.js'
import type { LifecycleEvent } from '../checkpoint/events.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { itemsAt } from '../checkpoint/items.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Totals } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { runState } from '../runs/state.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { type InputSettings, openInput } from '../sources/input.js'
import type { IdRules } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { counted } from '../system/text.js'
import type { Report } from './report.js'
import { checkAsked } from './verify-asked.js'
import { type Check, type CheckName, leftOut, right, wrong } from './verify-check.js'
import { checkFiles, currentFile } from './verify-files.js'
import { checkHead } from './verify-head.js'
import { checkHold } from './verify-hold.js'
import { checkIds } from './verify-ids.js'
import { type Look, lookAt } from './verify-look.js'
import { readTogether } from './verify-read-together.js'
import { checkReport } from './verify-reports.js'
import { checkRows } from './verify-rows.js'
import { checkTotals } from './verify-totals.js'

export interface VerifyOptions {
  /** Every format that a report in the run's directory may have. */
  reports: readonly Report[]
  /** A hash of the last line that was kept elsewhere. */
  head?: string | undefined
  /** Files that do not lie in the run's directory are not compared. */
  isInputLeftOut?: boolean
  /** Files of which every ID must have an outcome. */
  ids?: { files: readonly InputFile[]; settings: InputSettings } | undefined
  /** How the run finds and calls its IDs. */
  idRules?: IdRules
}

/** What `verify` found. The names stand in `verify --json`. */
export interface Verification {
  run: string
  /** Everything was checked but what the person left out, and all of it is right. */
  isRight: boolean
  /** SHA-256 of the checkpoint's last line. */
  head: string
  lines: number
  checks: Check[]
}

/**
 * Checks that the record of a run is whole, unaltered, and agrees with its reports and its input. Writes nothing.
 * Throws a UsageError when run.json, or a file that the person names, cannot be read.
 */
export async function verifyRun(directory: RunDirectory, options: VerifyOptions): Promise<Verification> {
  return (await examineRun(directory, options)).verification
}

/** What was verified, with what the run was about. */
export interface Examination {
  verification: Verification
  /** With the input as it was accepted last, and its kept files where they lie now. */
  run: RunFile
  events: LifecycleEvent[]
  totals: Totals
}

/** Does what `verifyRun` does, and hands on what it has read. */
export async function examineRun(directory: RunDirectory, options: VerifyOptions): Promise<Examination> {
  const asked = readRunFile(directory)
  if (options.ids !== undefined) await openInput(options.ids.files, options.ids.settings)
  const isRunning = runState(directory).kind === 'running'
  const summary = readSummary(directory)
  const { head: kept } = options
  const wanted = [summary?.checkpointHead, kept].filter((hash) => hash !== undefined)
  const look = lookAt(directory.checkpoint, asked, wanted)
  const run = withFilesWhereTheyAre(directory, withAcceptedInput(asked, look))
  const standing = { isRunning, isFinished: !isRunning && isFinished(look) }
  const checks = [
    checkChain(look, standing),
    checkHead(look, summary, kept, standing.isFinished),
    checkLines(look, asked),
    checkAsked(directory, asked, run, look, summary),
    checkTotals(look, summary ?? (existsSync(directory.summary) ? 'damaged' : null)),
    ...(await checkItems(directory, run, look, standing, standing.isFinished || summary !== null, options)),
  ]
  const isRight = checks.every((check) => check.isRight !== false)
  return {
    verification: { run: run.run, isRight, head: look.head, lines: look.end.line, checks },
    run,
    events: look.events,
    totals: look.end.totals,
  }
}

interface Standing {
  isRunning: boolean
  /** The last line says that the run came to its end. */
  isFinished: boolean
}

function isFinished({ events, ends, end }: Look): boolean {
  return events.at(-1)?.event === 'finished' && ends.at(-1)?.line === end.line
}

/** The run with its kept files where its directory lies now. */
function withFilesWhereTheyAre(directory: RunDirectory, run: RunFile): RunFile {
  const current = (files: Fingerprinted[]) => files.map((file) => currentFile(directory, run, file))
  return { ...run, input: current(run.input), hold: current(run.hold) }
}

function checkChain({ chainFault, tornBytes, end }: Look, standing: Standing): Check {
  if (chainFault !== null) return wrong('chain', `checkpoint.jsonl, ${chainFault}.`)
  const lines = `${counted(end.line, 'line')}, each with the hash of the line before`
  if (tornBytes === 0)
    return right(
      'chain',
      standing.isRunning ? `${lines}; the run is at work, and this is what was there.` : `${lines}.`,
    )
  const torn = `${counted(tornBytes, 'byte')} behind line ${end.line} are no whole line`
  if (standing.isFinished)
    return wrong('chain', `checkpoint.jsonl: ${torn}, and the run was finished before.`)
  return right(
    'chain',
    `${lines}; ${torn}: it was being written when the run died, or is now. \`resume\` cuts it off.`,
  )
}

function checkLines({ lineFault, linesTooEarly, end }: Look, { startedAt }: RunFile): Check {
  if (lineFault !== null) return wrong('lines', `checkpoint.jsonl, ${lineFault}.`)
  const early =
    linesTooEarly === 0
      ? ''
      : `; ${counted(linesTooEarly, 'line')} dated before the start (${startedAt}): a clock was set`
  return right('lines', `${counted(end.line, 'line')} that a run can have written in this order${early}.`)
}

/** What needs the files that the run has read, or its reports. One pass over the settled items does for all of it. */
async function checkItems(
  directory: RunDirectory,
  run: RunFile,
  look: Look,
  { isFinished }: Standing,
  hasEnded: boolean,
  { reports, isInputLeftOut = false, ids, idRules = {} }: VerifyOptions,
): Promise<Check[]> {
  const input = await checkFiles('input', directory, run.input, isInputLeftOut)
  const readers: Reader[] = [
    ...(run.hold.length === 0
      ? []
      : [
          readerFor('hold', look, (items) =>
            checkHold(directory, run, look.events, items, isInputLeftOut, idRules),
          ),
        ]),
    readerFor('complete', look, (items) =>
      input.isRight
        ? checkRows(run, items, isFinished, idRules)
        : leftOut('complete', 'the rows cannot be compared without the input.'),
    ),
    ...(ids === undefined
      ? []
      : [readerFor('ids', look, (items) => checkIds(ids.files, ids.settings, idRules, items))]),
    ...reports.map((report) =>
      readerFor('report', look, (items) =>
        checkReport(report, directory, look, { isFinished, hasEnded }, items),
      ),
    ),
  ]
  const checks = await readTogether(itemsAt(directory.checkpoint, look.offsets), readers)
  return [input, ...checks.filter((check) => check !== null)]
}

type Items = AsyncIterable<readonly SettledItem[]>
type Reader = (items: Items) => Promise<Check | null>

/** A line that cannot be read is named by its own check; nothing can be made from the checkpoint then. */
function readerFor(
  name: CheckName,
  { lineFault }: Look,
  check: (items: Items) => Promise<Check | null> | Check,
): Reader {
  return async (items) => {
    if (lineFault !== null)
      return leftOut(name, 'cannot be compared with a checkpoint of which a line is not right.')
    try {
      return await check(items)
    } catch (error) {
      if (!(error instanceof UsageError)) throw error
      return wrong(name, error.message)
    }
  }
}
