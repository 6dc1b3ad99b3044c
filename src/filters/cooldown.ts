import { createHash, createHmac, randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { LogWriteError } from '../checkpoint/log.js'
import { type BatchOperation, type Filter, isOnBatches, type Job } from '../job.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory, writeFileAtomically } from '../system/files.js'
import { messageOf } from '../system/text.js'
import { refused } from './refusal.js'

/**
 * The identifiers submitted to an instance in the last seven days, by any run of this host: one of them can fail a
 * whole deletion job of Ada's. Kept as hashes under a random key that lies beside them, never in clear.
 */
export interface RecentlySubmitted {
  /** When it was submitted last (Unix); null when that was longer ago, or never. */
  submittedAtMs(identity: string): number | null
  /** Survives a kill. Throws a LogWriteError. */
  add(identities: readonly string[]): void
  /** The API did not accept them. */
  withdraw(identities: readonly string[]): void
}

/** The cooldown of a job on batches; null for other jobs, and in a sandbox that ends with the run. */
export function recentlySubmittedOf(
  { operation }: Pick<Job, 'operation'>,
  { stateDirectory, origin, isSandbox }: { stateDirectory: string; origin: string; isSandbox: boolean },
): RecentlySubmitted | null {
  return isSandbox || !isOnBatches(operation) ? null : openRecentlySubmitted(stateDirectory, origin, Date.now)
}

const dayMs = 86_400_000
/** As Ada counts, plus an hour for clocks that differ. */
export const cooldownMs = 7 * dayMs + 3_600_000

/** Throws a UsageError when the state directory cannot be used. */
export function openRecentlySubmitted(
  stateDirectory: string,
  instance: string,
  nowMs: () => number,
): RecentlySubmitted {
  const folder = createHash('sha256').update(instance).digest('hex').slice(0, 12)
  const directory = join(stateDirectory, 'submitted', folder)
  try {
    makeDirectory(directory, 0o700)
    return new Files(directory, nowMs)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(
      `cannot use what is remembered in ${directory} (${code}). Name a writable place with ADA_BULK_STATE.`,
    )
  }
}

const fileName = /^\d{4}-\d{2}-\d{2}\.log$/

/** A file for each day, to which all processes append; those that are too old to matter are removed. */
class Files implements RecentlySubmitted {
  readonly #directory: string
  readonly #nowMs: () => number
  readonly #key: Buffer
  readonly #atMs = new Map<string, number>()

  constructor(directory: string, nowMs: () => number) {
    this.#directory = directory
    this.#nowMs = nowMs
    this.#key = keyIn(directory)
    const oldest = dayOf(nowMs() - cooldownMs)
    for (const name of readdirSync(directory).sort()) {
      if (!fileName.test(name)) continue
      if (name < oldest) rmSync(join(directory, name), { force: true })
      else this.#read(readFileSync(join(directory, name), 'utf8'))
    }
  }

  submittedAtMs(identity: string): number | null {
    const atMs = this.#atMs.get(this.#hash(identity))
    return atMs !== undefined && this.#nowMs() - atMs < cooldownMs ? atMs : null
  }

  add(identities: readonly string[]): void {
    this.#write(identities, this.#nowMs())
  }

  withdraw(identities: readonly string[]): void {
    this.#write(identities, 0)
  }

  /** The last line about an identifier counts. */
  #write(identities: readonly string[], atMs: number): void {
    const lines = identities.map((identity) => `${this.#hash(identity)} ${atMs}\n`)
    const path = join(this.#directory, dayOf(this.#nowMs()))
    // With a line end before them too, so that a line torn by a full disk spoils only itself.
    const bytes = Buffer.from(`\n${lines.join('')}`)
    try {
      const file = openSync(path, 'a', 0o600)
      try {
        for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
      } finally {
        closeSync(file)
      }
    } catch (error) {
      throw new LogWriteError(`cannot write ${path}: ${messageOf(error)}`)
    }
    this.#read(lines.join(''))
  }

  #read(text: string): void {
    for (const [, hash, atMs] of text.matchAll(/^([0-9a-f]{32}) (\d+)$/gm)) {
      this.#atMs.set(hash!, Number(atMs))
    }
  }

  #hash(identity: string): string {
    return createHmac('sha256', this.#key).update(identity).digest('hex').slice(0, 32)
  }
}

function dayOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 10)}.log`
}

function keyIn(directory: string): Buffer {
  const path = join(directory, 'key')
  if (!existsSync(path)) {
    // When two processes begin together, one makes it and both use it.
    const beside = `${path}.${process.pid}`
    writeFileAtomically(beside, `${randomBytes(32).toString('hex')}\n`)
    try {
      linkSync(beside, path)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
    rmSync(beside)
  }
  return Buffer.from(readFileSync(path, 'utf8').trim(), 'hex')
}

/** Leaves identifiers that were submitted in the last seven days for later: one of them can fail a whole job. */
export function notSubmittedRecently(
  recent: Pick<RecentlySubmitted, 'submittedAtMs'>,
  { identityOf }: Pick<BatchOperation, 'identityOf'>,
): Filter {
  return {
    name: 'submitted',
    judge(item) {
      const atMs = recent.submittedAtMs(identityOf(item))
      if (atMs === null) return null
      const at = new Date(atMs).toISOString()
      return refused('submitted_recently', `handed over at ${at}; Ada takes it again seven days after that`)
    },
  }
}
