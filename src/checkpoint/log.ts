import { hash } from 'node:crypto'
import {
  closeSync,
  constants,
  fdatasync,
  fstatSync,
  ftruncateSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../system/errors.js'
import { openNew, openRegular, syncDirectory } from '../system/files.js'
import { messageOf } from '../system/text.js'

/** What the first line of a log names as the hash of the line before it. */
export const firstHead = '0'.repeat(64)

/** The log cannot be written any more: no space, a file-size limit, a disk that fails. */
export class LogWriteError extends Error {
  override readonly name = 'LogWriteError'
}

/** Lines wait in memory up to this size until something needs them written. */
const longestPendingChars = 64 * 1024

/**
 * An append-only file of JSON lines. Each line carries, as its last field `prev`, the SHA-256 of the line before
 * (line end included). A failure to write is final: what may have been half written is cut off, and every later
 * write throws the same LogWriteError.
 */
export class Log {
  readonly #path: string
  /** False when another process writes the file now. */
  readonly #isOurs: () => boolean
  readonly #file: number
  #head: string
  /** The hash of the last line that is in the file. */
  #writtenHead: string
  #bytes: number
  #pending = ''
  #syncing: Promise<void> | null = null
  #nextSync: Promise<void> | null = null
  #failure: LogWriteError | null = null

  /** Goes on behind the first `bytes` bytes, the whole lines, of which the last has the hash `head`; cuts off the rest. Throws a UsageError when the disk refuses. */
  constructor(path: string, bytes: number, head: string, isOurs: () => boolean = () => true) {
    this.#isOurs = isOurs
    this.#path = path
    this.#bytes = bytes
    this.#head = head
    this.#writtenHead = head
    try {
      this.#file = openNew(path, constants.O_APPEND)
      ftruncateSync(this.#file, bytes)
      // What is synced into a file can be found again only if its name is on disk, too.
      if (bytes === 0) syncDirectory(dirname(path))
    } catch (error) {
      throw new UsageError(
        `cannot write ${path}: ${(error as Error).message}. Nothing was sent. Make room, and resume the run.`,
      )
    }
  }

  /** The hash of the last line; of those that are in the file, once writing has failed. */
  get head(): string {
    return this.#failure ? this.#writtenHead : this.#head
  }

  /** Adds a line, which is written with the next that matters, or when enough have come together. */
  add(fields: object): void {
    if (this.#failure) throw this.#failure
    const line = `${JSON.stringify(fields).slice(0, -1)},"prev":"${this.#head}"}\n`
    this.#head = hash('sha256', line)
    this.#pending += line
    if (this.#pending.length > longestPendingChars) this.flush()
  }

  /** Hands all lines to the operating system: from here on they survive a kill, though not a power cut. */
  flush(): void {
    if (this.#failure) throw this.#failure
    if (this.#pending === '') return
    if (!this.#isOurs()) {
      this.#failure = new LogWriteError(`another process writes ${this.#path} now`)
      throw this.#failure
    }
    const bytes = Buffer.from(this.#pending)
    this.#pending = ''
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done)
      this.#bytes += bytes.length
      this.#writtenHead = this.#head
    } catch (error) {
      this.#fail(error)
    }
  }

  /**
   * Resolves when every line added so far is on disk. One sync is under way at a time; whoever comes meanwhile
   * shares the next.
   */
  sync(): Promise<void> {
    if (this.#syncing === null) {
      this.#syncing = this.#syncNow().finally(() => {
        this.#syncing = null
      })
      return this.#syncing
    }
    this.#nextSync ??= this.#syncing
      .catch(() => {})
      .then(() => {
        this.#nextSync = null
        return this.sync()
      })
    return this.#nextSync
  }

  /** Whether its name leads to another file now, or to none. */
  isGone(): boolean {
    const named = statSync(this.#path, { throwIfNoEntry: false })
    const { ino, dev } = fstatSync(this.#file)
    return named === undefined || named.ino !== ino || named.dev !== dev
  }

  /** Writes all lines into a new file. */
  copyTo(path: string): void {
    this.flush()
    const lines = Buffer.alloc(fstatSync(this.#file).size)
    let done = 0
    for (let read = -1; read !== 0 && done < lines.length; done += read)
      read = readSync(this.#file, lines, done, lines.length - done, done)
    writeFileSync(path, lines, { mode: 0o600, flag: 'wx', flush: true })
  }

  close(): void {
    closeSync(this.#file)
  }

  async #syncNow(): Promise<void> {
    this.flush()
    await new Promise<void>((resolve, reject) =>
      fdatasync(this.#file, (error) => (error ? reject(error) : resolve())),
    ).catch((error) => this.#fail(error))
  }

  #fail(error: unknown): never {
    this.#failure ??= new LogWriteError(`cannot write ${this.#path}: ${(error as Error).message}`)
    try {
      ftruncateSync(this.#file, this.#bytes)
    } catch {}
    throw this.#failure
  }
}

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
