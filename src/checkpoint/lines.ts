import { closeSync, openSync, readSync } from 'node:fs'

const chunkBytes = 1024 * 1024

/** No line of ours is longer; a file that has one is none of ours. */
const longestLineBytes = 1024 * 1024

/**
 * Calls `onLine` for each whole line with the buffer that it lies in, its start, its end (the line end not
 * included) and its offset in the file. Returns the length of all whole lines: a torn last line is left out.
 */
export function scanLines(
  path: string,
  onLine: (buffer: Buffer, start: number, end: number, offset: number) => void,
): number {
  const file = openSync(path, 'r')
  const buffer = Buffer.allocUnsafe(chunkBytes + longestLineBytes)
  let kept = 0
  let offset = 0
  try {
    for (;;) {
      const read = readSync(file, buffer, kept, buffer.length - kept, null)
      const filled = kept + read
      let start = 0
      for (;;) {
        const end = buffer.indexOf(10, start)
        if (end === -1 || end >= filled) break
        onLine(buffer, start, end, offset + start)
        start = end + 1
      }
      offset += start
      if (read === 0 || (start === 0 && filled === buffer.length)) return offset
      buffer.copyWithin(0, start, filled)
      kept = filled - start
    }
  } finally {
    closeSync(file)
  }
}

/** The bytes of a file from offset `from` up to, not including, `to`. */
export function readSpan(path: string, from: number, to: number): Buffer {
  const file = openSync(path, 'r')
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
