import { createReadStream, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import type { Report } from '../reports/report.js'
import type { RunDirectory } from '../run-directory.js'
import { type Check, leftOut, right, wrong } from './check.js'
import type { Look } from './look.js'
import { rendering } from './rendering.js'

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
  const line = await firstDifference(createReadStream(path), rendering(report, directory, look.end.bytes))
  if (line === null)
    return right('report', `${report.fileName} says what the checkpoint says, byte for byte.`)
  const fault = `${report.fileName}, line ${line}: not what the checkpoint says`
  if (standing.isFinished) return wrong('report', `${fault}${again}.`)
  for (const end of look.ends.slice(-stopsLookedAt).reverse()) {
    if (end.line === look.end.line) continue
    if ((await firstDifference(createReadStream(path), rendering(report, directory, end.bytes))) === null) {
      return right(
        'report',
        `${report.fileName} is older than the checkpoint: it says what stood there when the run stopped before (line ${end.line} of ${look.end.line}).`,
      )
    }
  }
  return wrong('report', `${fault}, neither now nor when the run stopped before${again}.`)
}

/** The line in which two texts differ first, from 1; null when they are the same. */
export async function firstDifference(one: Readable, other: Readable): Promise<number | null> {
  const rest = { one: chunks(one), other: chunks(other) }
  let [a, b] = [await next(rest.one), await next(rest.other)]
  let line = 1
  try {
    for (;;) {
      if (a.length === 0 || b.length === 0) return a.length === b.length ? null : line
      const length = Math.min(a.length, b.length)
      const [here, there] = [a.subarray(0, length), b.subarray(0, length)]
      if (!here.equals(there))
        return (
          line +
          linesIn(
            here.subarray(
              0,
              here.findIndex((byte, at) => byte !== there[at]),
            ),
          )
        )
      line += linesIn(here)
      a = a.length > length ? a.subarray(length) : await next(rest.one)
      b = b.length > length ? b.subarray(length) : await next(rest.other)
    }
  } finally {
    one.destroy()
    other.destroy()
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

function linesIn(bytes: Buffer): number {
  let lines = 0
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) lines += 1
  return lines
}
