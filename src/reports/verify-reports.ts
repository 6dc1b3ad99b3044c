import { closeSync, existsSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type { LifecycleEvent, StartEvent } from '../checkpoint/events.js'
import type { SettledItem } from '../item.js'
import { openRegular } from '../system/files.js'
import { version } from '../system/host.js'
import { messageOf } from '../system/text.js'
import { type Report, type ReportedRun, reportedRun, writeReport } from './report.js'
import { type Check, type Evidence, leftOut, right, wrong } from './verify-check.js'

const noHistory = { head: '', lastMs: Number.NaN }

/** A run that was stopped more often than this has its report compared with the latest stops only. */
const stopsComparedMax = 20

/**
 * Compares a report in the run's directory with a fresh one, byte for byte. The report of a run that is not finished
 * may be from one of its stops.
 */
export async function checkReport(
  report: Report,
  { directory, scan, summary, isFinished }: Evidence,
  settled: AsyncIterable<readonly SettledItem[]>,
): Promise<Check | null> {
  const { fileName } = report
  const path = join(directory.path, fileName)
  // A record that is not whole may be what is left of the evidence: nothing is to be written again.
  const again =
    scan.chainFault === null
      ? `; \`ada-bulk report ${directory.path} --format ${report.format}\` writes it again`
      : ''
  if (!existsSync(path)) {
    const finding = `${fileName} is not there${again}.`
    if (!isFinished && (summary === null || summary === 'damaged')) return null
    if (report.format === 'csv') return wrong('report', finding)
    // A run writes it as well, and ends in order when there is no room for it.
    return report.format === 'html' ? leftOut('report', finding) : null
  }
  const unreadable = whyUnreadable(path)
  if (unreadable !== null) return wrong('report', `${fileName} cannot be read (${unreadable})${again}.`)
  const { run, read } = reportedRun(directory, scan.end.bytes)
  const line = await firstDifference(path, report, {
    run,
    read: (history) => ({ ...(history === undefined ? noHistory : read(history)), items: settled }),
  })
  if (line === null) return right('report', `${fileName} says what the checkpoint says, byte for byte.`)
  for (const end of isFinished ? [] : scan.ends.slice(-stopsComparedMax).reverse()) {
    if (end.line === scan.end.line) continue
    if ((await firstDifference(path, report, reportedRun(directory, end.bytes))) === null)
      return right(
        'report',
        `${fileName} is older than the checkpoint: it shows the run as it was when it stopped before (line ${end.line} of ${scan.end.line}).`,
      )
  }
  const other = otherVersion(report, path, scan.events)
  if (other !== null)
    return leftOut('report', `${fileName} was written by ada-bulk ${other} and is not compared${again}.`)
  const when = isFinished ? '' : ', neither now nor when the run stopped before'
  return wrong('report', `${fileName}, line ${line}: not what the checkpoint says${when}${again}.`)
}

function whyUnreadable(path: string): string | null {
  try {
    closeSync(openRegular(path))
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** The line in which a file first differs from a fresh report, from 1; null when they are the same. */
async function firstDifference(path: string, report: Report, run: ReportedRun): Promise<number | null> {
  const file = openRegular(path)
  try {
    const comparison = new Comparison(file)
    await writeReport(report, run, comparison)
    await finished(comparison.end())
    return comparison.difference
  } finally {
    closeSync(file)
  }
}

/** Compares what is written to it with a file. */
class Comparison extends Writable {
  /** The line of the first difference. */
  difference: number | null = null
  readonly #file: number
  #line = 1

  constructor(file: number) {
    super()
    this.#file = file
  }

  override _write(chunk: Buffer, _: string, done: () => void): void {
    if (this.difference === null) this.#compare(chunk, Buffer.alloc(chunk.length))
    done()
  }

  override _final(done: () => void): void {
    // Only a file that is longer has another byte.
    if (this.difference === null && this.#read(Buffer.alloc(1)) > 0) this.difference = this.#line
    done()
  }

  #compare(expected: Buffer, there: Buffer): void {
    const length = this.#read(there)
    const isSame = length === expected.length && there.equals(expected)
    const same = isSame ? length : expected.findIndex((byte, at) => at >= length || byte !== there[at])
    for (let at = expected.indexOf(10); at !== -1 && at < same; at = expected.indexOf(10, at + 1))
      this.#line += 1
    if (!isSame) this.difference = this.#line
  }

  #read(into: Buffer): number {
    let length = 0
    for (let more = -1; more !== 0 && length < into.length; length += more)
      more = readSync(this.#file, into, length, into.length - length, null)
    return length
  }
}

const headBytes = 4096

/** The version that has written a report, where it is another than this one, by the report itself and by the record. */
function otherVersion(report: Report, path: string, events: readonly LifecycleEvent[]): string | null {
  if (report.versionIn === undefined) return null
  const file = openRegular(path)
  try {
    const head = Buffer.alloc(headBytes)
    const named = report.versionIn(head.toString('utf8', 0, readSync(file, head)))
    const recorded = events.findLast((event): event is StartEvent => 'confirmed' in event)?.version
    // Pages of 0.1.0 do not name it; those of every later version do, or were altered.
    const isOurs = named === version || (recorded === version && recorded !== '0.1.0')
    return isOurs ? null : (named ?? recorded ?? '0.1.0')
  } finally {
    closeSync(file)
  }
}
