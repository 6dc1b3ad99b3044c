import { closeSync, readSync } from 'node:fs'
import { UsageError } from '../system/errors.js'
import { openRegular } from '../system/files.js'
import { messageOf } from '../system/text.js'

const bufferBytes = 2 * 1024 * 1024

/** A cell of the input may be a mebibyte, and six times as long with its escapes. */
const longestLineBytes = 16 * 1024 * 1024

/**
 * Calls `onLine` for each whole line with the buffer that it lies in, its start, its end (the line end not
 * included) and its offset in the file. Returns the length of all whole lines: a torn last line is left out. Reads
 * no further than `bytesMax`. Throws a UsageError when the file cannot be read, or a line is longer than any of ours.
 */
export function scanLines(
  path: string,
  onLine: (buffer: Buffer, start: number, end: number, offset: number) => void,
  bytesMax = Number.POSITIVE_INFINITY,
): number {
  const file = openOrRefuse(path)
  let buffer = Buffer.allocUnsafe(bufferBytes)
  let kept = 0
  let offset = 0
  let left = bytesMax
  try {
    for (;;) {
      const read = readSync(file, buffer, kept, Math.min(buffer.length - kept, left), null)
      left -= read
      const filled = kept + read
      let start = 0
      for (;;) {
        const end = buffer.indexOf(10, start)
        if (end === -1 || end >= filled) break
        onLine(buffer, start, end, offset + start)
        start = end + 1
      }
      offset += start
      if (read === 0) return offset
      const rest = buffer.subarray(start, filled)
      if (rest.length > longestLineBytes) throw tooLong(path, offset)
      if (rest.length === buffer.length) buffer = Buffer.allocUnsafe(2 * buffer.length)
      kept = rest.copy(buffer)
    }
  } finally {
    closeSync(file)
  }
}

/** The bytes of a file from offset `from` up to, not including, `to`. */
export function readSpan(path: string, from: number, to: number): Buffer {
  const file = openOrRefuse(path)
  try {
    const span = Buffer.alloc(to - from)
    let done = 0
    while (done < span.length) {
      const read = readSync(file, span, done, span.length - done, from + done)
      if (read === 0) break
      done += read
    }
    return span.subarray(0, done)
  } finally {
    closeSync(file)
  }
}

function openOrRefuse(path: string): number {
  try {
    return openRegular(path)
  } catch (error) {
    throw new UsageError(`cannot read ${path} (${messageOf(error)}). Put back what was there.`)
  }
}

function tooLong(path: string, offset: number): UsageError {
  return new UsageError(
    `${path}: the line that begins at byte ${offset} is longer than any line of ours. Was the file edited?`,
  )
}
