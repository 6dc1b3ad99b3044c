import { existsSync } from 'node:fs'
import { type RunDirectory, readRunFile, readSummary } from '../checkpoint/directory.js'
import type { LifecycleEvent } from '../checkpoint/events.js'
import { withAcceptedInput, withHoldLists } from '../checkpoint/history.js'
import { itemsAt } from '../checkpoint/items.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Totals } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { type InputSettings, openInput } from '../sources/input.js'
import type { IdRules } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { counted } from '../system/text.js'
import type { Report } from './report.js'
import {
  type Check,
  type CheckName,
  type Evidence,
  leftOut,
  notComparable,
  right,
  wrong,
} from './verify-check.js'
import { checkHead, checkRequest, checkTotals } from './verify-claims.js'
import { checkHold, checkIds, checkInput, withFilesWhereTheyAre } from './verify-input.js'
import { checkReport } from './verify-reports.js'
import { type Scan, scanRecord } from './verify-scan.js'

export interface VerifyOptions {
  /** Every format that a report in the run's directory may have. */
  reports: readonly Report[]
  /** How the job finds and calls its IDs; null where that is not known. */
  idRules: IdRules | null
  /** A process is at work on the run. */
  isRunning?: boolean
  /** A hash of the last line that was kept elsewhere. */
  head?: string | undefined
  /** Files outside of the run's directory are not compared. */
  isInputLeftOut?: boolean
  /** Files of which every ID must have an outcome. */
  ids?: { files: readonly InputFile[]; settings: InputSettings } | undefined
}

/** The result of `verify`. The names are contract: `verify --json` prints them. */
export interface Verification {
  run: string
  /** Everything that was checked is right. */
  isRight: boolean
  /** SHA-256 of the checkpoint's last line. */
  head: string
  lines: number
  checks: Check[]
}

/** A verification, and the record that was read for it. */
export interface VerifiedRun {
  verification: Verification
  /** With the input as it was accepted last, and its kept files where they lie now. */
  run: RunFile
  events: LifecycleEvent[]
  totals: Totals
}

/**
 * Checks that the record of a run is whole, unaltered, and agrees with its reports and its input. Writes nothing, and
 * runs no code that the record names. Throws a UsageError when run.json, or a file that the person names, cannot be
 * read.
 */
export async function verifyRun(directory: RunDirectory, options: VerifyOptions): Promise<VerifiedRun> {
  const { reports, idRules, isRunning = false, head = null, isInputLeftOut = false, ids } = options
  const request = readRunFile(directory)
  if (ids !== undefined) await openInput(ids.files, ids.settings)
  const summary = readSummary(directory)
  const scan = scanRecord(directory.checkpoint, request, [summary?.checkpointHead, head])
  const run = withFilesWhereTheyAre(directory, withHoldLists(withAcceptedInput(request, scan), scan))
  const last = scan.ends.at(-1)
  const evidence: Evidence = {
    directory,
    run,
    scan,
    summary: summary ?? (existsSync(directory.summary) ? 'damaged' : null),
    head,
    isRunning,
    isFinished: !isRunning && last?.line === scan.end.line && last.event.event === 'finished',
    idRules,
    isInputLeftOut,
  }
  const readers: Reader[] = [(items) => checkInput(evidence, items)]
  const add = (name: CheckName, check: (items: Items) => Promise<Check | null>) =>
    readers.push((items) => checked(name, scan, () => check(items)))
  if (run.hold.length > 0) add('hold', (items) => checkHold(evidence, items))
  if (ids !== undefined) add('ids', (items) => checkIds(ids.files, ids.settings, idRules ?? {}, items))
  for (const report of reports) add('report', (items) => checkReport(report, evidence, items))
  const checks = [
    checkChain(evidence),
    checkHead(evidence),
    checkLines(evidence),
    checkRequest(evidence),
    checkTotals(evidence),
    ...(await readTogether(itemsAt(directory.checkpoint, scan.offsets), readers)).flat(),
  ]
  const isRight = checks.every((check) => check.isRight !== false)
  const verification = { run: run.run, isRight, head: scan.head, lines: scan.end.line, checks }
  return { verification, run, events: scan.events, totals: scan.end.totals }
}

type Items = AsyncIterable<readonly SettledItem[]>
type Reader = (items: Items) => Promise<Check[]>

/** Nothing can be made from a checkpoint with a line that is not right; that line is named by its own check. */
async function checked(name: CheckName, scan: Scan, check: () => Promise<Check | null>): Promise<Check[]> {
  if (scan.lineFault !== null) return [leftOut(name, notComparable)]
  try {
    const found = await check()
    return found === null ? [] : [found]
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return [wrong(name, error.message)]
  }
}

function checkChain({ scan: { chainFault, tornBytes, end }, isRunning, isFinished }: Evidence): Check {
  if (chainFault !== null) return wrong('chain', `checkpoint.jsonl, ${chainFault}.`)
  const lines = `${counted(end.line, 'line')}, each with the hash of the line before`
  if (tornBytes === 0)
    return right('chain', isRunning ? `${lines}; the run is at work: more may follow.` : `${lines}.`)
  const torn = `${counted(tornBytes, 'byte')} behind line ${end.line} are no whole line`
  const why = 'it was being written when the run died, or is now. `resume` cuts it off.'
  return isFinished
    ? wrong('chain', `checkpoint.jsonl: ${torn}, and the run was finished before.`)
    : right('chain', `${lines}; ${torn}: ${why}`)
}

function checkLines({ scan: { lineFault, linesTooEarly, end }, run: { startedAt } }: Evidence): Check {
  if (lineFault !== null) return wrong('lines', `checkpoint.jsonl, ${lineFault}.`)
  const early = `; ${counted(linesTooEarly, 'line')} dated before the start (${startedAt}): a clock was set`
  return right(
    'lines',
    `${counted(end.line, 'line')} that a run can have written in this order${linesTooEarly === 0 ? '' : early}.`,
  )
}

type Give<T> = (next: Promise<IteratorResult<T>>) => void

/**
 * Gives one stream to several readers: the next batch is read once all that still read have asked for it. Returns the
 * results of the readers.
 */
export async function readTogether<T, R>(
  stream: AsyncGenerator<T>,
  readers: readonly ((stream: AsyncIterable<T>) => Promise<R>)[],
): Promise<R[]> {
  /** The readers that still read, each with its request for the next batch, or null before it asks. */
  const requests = new Map<number, Give<T> | null>(readers.map((_, reader) => [reader, null]))
  const advance = () => {
    if (requests.size === 0 || [...requests.values()].includes(null)) return
    const next = stream.next()
    for (const [reader, give] of requests) {
      requests.set(reader, null)
      give!(next)
    }
  }
  const streamFor = (reader: number): AsyncIterable<T> => ({
    [Symbol.asyncIterator]: () => ({
      next: () =>
        new Promise((resolve) => {
          if (!requests.has(reader)) return resolve({ done: true, value: undefined })
          requests.set(reader, resolve)
          advance()
        }),
    }),
  })
  const leave = (reader: number) => {
    requests.delete(reader)
    advance()
  }
  try {
    return await Promise.all(
      readers.map((read, reader) => read(streamFor(reader)).finally(() => leave(reader))),
    )
  } finally {
    await stream.return(undefined)
  }
}
