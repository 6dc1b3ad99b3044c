import { randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { makeDirectory } from '../system/files.js'

/**
 * One file of the ledger's log, `<directory>/<number>.log`, open for appending and reading. The highest number in
 * the directory is the current generation. The highest number never falls: a generation is removed only when a
 * later one is there, and a new directory appears with its first generation inside.
 */
export class Generation {
  /** Bytes read so far. */
  offset = 0

  private constructor(
    readonly number: number,
    readonly fileDescriptor: number,
  ) {}

  /** The current generation; with a first, empty one if there is none. Older ones are removed. */
  static openCurrent(directory: string): Generation {
    for (let tries = 0; tries < triesMax; tries++) {
      const numbers = listNumbers(directory)
      const highest = Math.max(...numbers)
      if (numbers.length === 0) {
        createFirst(directory)
        continue
      }
      const fileDescriptor = openExisting(pathOf(directory, highest))
      // Somebody has just removed it because there is a later one.
      if (fileDescriptor === null) continue
      for (const number of numbers) {
        if (number < highest) rmSync(pathOf(directory, number), { force: true })
      }
      return new Generation(highest, fileDescriptor)
    }
    throw new Error(`No generation of the ledger stays in ${directory}`)
  }

  /** The generation after this one, which is sealed. Makes it from `content` if nobody else has. */
  next(directory: string, content: () => string): Generation {
    if (Math.max(...listNumbers(directory)) <= this.number) {
      const beside = besidePath(directory)
      writeWhole(beside, content())
      try {
        // Fails when somebody was quicker. A late success, when that generation has come and gone again, does no
        // harm: there is a higher number then, and the highest number counts.
        linkSync(beside, pathOf(directory, this.number + 1))
      } catch (error) {
        if (codeOf(error) !== 'EEXIST') throw error
      } finally {
        unlinkSync(beside)
      }
    }
    const next = Generation.openCurrent(directory)
    this.close()
    return next
  }

  /**
   * Adds one line with one write to the end, which other processes see whole, before or behind theirs. It begins
   * and ends with a line end, so a torn one spoils only itself.
   */
  append(line: string): void {
    writeOnce(this.fileDescriptor, `\n${line}\n`)
  }

  /** The whole lines from the offset on. Whoever uses one moves the offset behind it. */
  *lines(): Generator<string> {
    for (;;) {
      const length = readSync(this.fileDescriptor, buffer, 0, buffer.length, this.offset)
      const text = buffer.toString('latin1', 0, length)
      const end = text.lastIndexOf('\n')
      if (end < 0) {
        if (length < buffer.length) return
        // So much without a line end is nobody's record.
        this.offset += length
        continue
      }
      for (const line of text.slice(0, end).split('\n')) {
        this.offset += line.length + 1
        if (line !== '') yield line
      }
    }
  }

  close(): void {
    closeSync(this.fileDescriptor)
  }
}

/** Far more than can happen while one process reads a directory twice. */
const triesMax = 1000

/** Removes what a crash left beside the directory, once nobody can be at work on it any more. */
export function removeLeftovers(directory: string, wallMs: number): void {
  for (const name of readdirSync(dirname(directory))) {
    const path = join(dirname(directory), name)
    if (!name.startsWith(besidePrefix)) continue
    const changedMs = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? wallMs
    if (wallMs - changedMs > 3_600_000) rmSync(path, { recursive: true, force: true })
  }
}

/** One for all: nothing waits between reading and using it. */
const buffer = Buffer.allocUnsafe(64 * 1024)

const besidePrefix = '.new-'

const pathOf = (directory: string, number: number) => join(directory, `${number}.log`)

/** Beside the directory, so that a file left behind by a crash is never in the way of a generation. */
const besidePath = (directory: string) =>
  join(dirname(directory), besidePrefix + randomBytes(8).toString('hex'))

function listNumbers(directory: string): number[] {
  try {
    return readdirSync(directory).flatMap((name) => {
      const number = /^(\d{1,15})\.log$/.exec(name)?.[1]
      return number ? [Number(number)] : []
    })
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  }
}

/** The directory and its first generation appear in one step, so nobody can come later and begin once more. */
function createFirst(directory: string): void {
  const beside = besidePath(directory)
  makeDirectory(beside, 0o700)
  writeWhole(pathOf(beside, 1), '')
  try {
    renameSync(beside, directory)
  } catch (error) {
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error
    rmSync(beside, { recursive: true, force: true })
  }
}

function openExisting(path: string): number | null {
  try {
    return openSync(path, constants.O_RDWR | constants.O_APPEND)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null
    throw error
  }
}

function writeWhole(path: string, text: string): void {
  const fileDescriptor = openSync(path, 'wx', 0o600)
  try {
    writeOnce(fileDescriptor, text)
    fsyncSync(fileDescriptor)
  } finally {
    closeSync(fileDescriptor)
  }
}

function writeOnce(fileDescriptor: number, text: string): void {
  const bytes = Buffer.from(text, 'latin1')
  if (writeSync(fileDescriptor, bytes) < bytes.length) {
    throw Object.assign(new Error('ENOSPC: only a part was written'), { code: 'ENOSPC' })
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined
}
