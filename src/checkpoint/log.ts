import { hash } from 'node:crypto'
import { closeSync, fdatasync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { UsageError } from '../system/errors.js'
import { syncDirectory } from '../system/files.js'

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
  constructor(path: string, bytes: number, head: string) {
    this.#path = path
    this.#bytes = bytes
    this.#head = head
    this.#writtenHead = head
    try {
      this.#file = openSync(path, 'a', 0o600)
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
