import { closeSync, createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { RunDirectory } from '../checkpoint/directory.js'
import { scanLines } from '../checkpoint/log.js'
import type { SettledItem } from '../item.js'
import { openRegular } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { type Report, reportedRun } from './report.js'
import { type Check, leftOut, right, wrong } from './verify-check.js'
import type { Look } from './verify-look.js'
import { rendering } from './verify-rendering.js'

/** A run that was stopped more often than this has its report compared with the latest stops only. */
const stopsLookedAt = 20

/**
 * Compares a report in the run's directory with a fresh one, byte for byte. The report of a run that is not finished
 * may be from one of its stops.
 */
export async function checkReport(
  report: Report,
  directory: RunDirectory,
  look: Look,
  standing: { isFinished: boolean; hasEnded: boolean },
  settled: AsyncIterable<readonly SettledItem[]>,
): Promise<Check | null> {
  const path = join(directory.path, report.fileName)
  // Of a record that is not whole nothing is to be written anew: it may be what is left of the evidence.
  const again =
    look.chainFault === null
      ? `; \`ada-bulk report ${directory.path} --format ${report.format}\` writes it again`
      : ''
  if (!existsSync(path)) {
    const finding = `${report.fileName} is not there${again}.`
    if (!standing.hasEnded) return null
    if (report.fileName === 'report.csv') return wrong('report', finding)
    // A run leaves it as well, and ends all the same when there is no room for it.
    return report.fileName === 'report.html' ? leftOut('report', finding) : null
  }
  const unreadable = whyUnreadable(path)
  if (unreadable !== null)
    return wrong('report', `${report.fileName} cannot be read (${unreadable})${again}.`)
  const run = { ...reportedRun(directory, look.end.bytes), items: () => settled }
  const line = await firstDifference(path, rendering(report, run))
  if (line === null)
    return right('report', `${report.fileName} says what the checkpoint says, byte for byte.`)
  const fault = `${report.fileName}, line ${line}: not what the checkpoint says`
  if (standing.isFinished) return wrong('report', `${fault}${again}.`)
  for (const end of look.ends.slice(-stopsLookedAt).reverse()) {
    if (end.line === look.end.line) continue
    const then = rendering(report, reportedRun(directory, end.bytes))
    if ((await firstDifference(path, then)) === null) {
      return right(
        'report',
        `${report.fileName} is older than the checkpoint: it says what stood there when the run stopped before (line ${end.line} of ${look.end.line}).`,
      )
    }
  }
  return wrong('report', `${fault}, neither now nor when the run stopped before${again}.`)
}

function whyUnreadable(path: string): string | null {
  try {
    closeSync(openRegular(path))
    return null
  } catch (error) {
    return messageOf(error)
  }
}

/** The line in which a file and a text differ first, from 1; null when they are the same. */
async function firstDifference(path: string, text: Readable): Promise<number | null> {
  const file = createReadStream(path)
  const rest = { file: chunks(file), text: chunks(text) }
  let [a, b] = [await next(rest.file), await next(rest.text)]
  let same = 0
  try {
    for (;;) {
      const length = Math.min(a.length, b.length)
      if (length === 0) return a.length === b.length ? null : lineAt(path, same)
      const [here, there] = [a.subarray(0, length), b.subarray(0, length)]
      if (!here.equals(there)) return lineAt(path, same + here.findIndex((byte, at) => byte !== there[at]))
      same += length
      a = a.length > length ? a.subarray(length) : await next(rest.file)
      b = b.length > length ? b.subarray(length) : await next(rest.text)
    }
  } finally {
    file.destroy()
    text.destroy()
  }
}

function chunks(stream: Readable): AsyncIterator<Buffer> {
  return stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>
}

/** Empty at the end. */
async function next(of: AsyncIterator<Buffer>): Promise<Buffer> {
  for (;;) {
    const { value, done } = await of.next()
    if (done) return Buffer.alloc(0)
    if (value.length > 0) return value
  }
}

/** The line of a file that holds the byte at an offset. */
function lineAt(path: string, offset: number): number {
  let line = 1
  const onLine = () => {
    line += 1
  }
  scanLines(path, onLine, offset)
  return line
}
