import { createHash, randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Clock } from '../clock.js'
import { UsageError } from '../usage-error.js'
import { readBootId, unknownBoot } from './boot-id.js'
import { CallsOnRecord } from './calls-on-record.js'
import { Generation, removeLeftovers } from './generation.js'
import type { Ledger, Place, Taken } from './ledger.js'
import { formatRecord, type LogRecord, parseRecord, type RecordKind } from './log-record.js'
import type { RateWindow } from './rate-window.js'

export interface FileLedgerOptions {
  /** The state directory; the ledger makes `ledger/<instance>/` in it. */
  directory: string
  /** Origin of the API. */
  instance: string
  clock: Clock
  bootId?: string
  /** A log that has grown this far and is mostly dead is written anew. */
  compactBytes?: number
}

/**
 * A ledger for all processes of this host and user, and for those that come after them: a log that everybody
 * appends to. Nobody ever waits for a lock, so a process that is killed or frozen anywhere blocks nobody.
 *
 * Who wants a place appends a record that takes it, reads on up to that record, and has the place if the records
 * before it leave room; else it appends a release. The order in the log is the same for all, so two processes
 * never both get the last place.
 *
 * When the log is long and mostly dead, somebody appends a seal. Records behind the seal are void: their writers
 * find the seal first and write them again in the next generation, which starts with what counted at the seal.
 *
 * Assumed: the directory is on a local filesystem, where an append is atomic (not NFS), and `monotonicMs` is the
 * same clock for all processes until the host starts again. Records of an earlier start are aged by wall time. A
 * power cut may lose the last seconds of records. Ended calls stay on record for the longest window that anybody
 * counted with of late (at least 5 minutes): who brings a longer one counts only what is still there.
 */
export async function openFileLedger(options: FileLedgerOptions): Promise<Ledger> {
  const log = new SharedLog(options)
  return {
    take: async (windows, holdMs) => log.take(windows, holdMs),
    closeFor: async (ms) => log.write('closed', { lengthMs: ms }),
    close: async () => log.close(),
  }
}

/** `https://acme.ada.support` → `acme.ada.support-1b4f0e98`: to be recognised by people, and unique. */
export function instanceFolder(instance: string): string {
  const readable = instance.replace(/^\w+:\/\//, '').replaceAll(/[^a-zA-Z0-9.-]+/g, '-')
  return `${readable.slice(0, 60)}-${createHash('sha256').update(instance).digest('hex').slice(0, 8)}`
}

/** Every method runs from start to end without waiting, so calls of one process never mix. */
class SharedLog {
  readonly #directory: string
  readonly #stateDirectory: string
  readonly #clock: Clock
  readonly #bootId: string
  readonly #compactBytes: number
  readonly #writer = randomBytes(6).toString('hex')
  #records = 0
  #calls = new CallsOnRecord()
  #generation: Generation
  #isClosed = false

  constructor(options: FileLedgerOptions) {
    this.#stateDirectory = options.directory
    this.#directory = join(options.directory, 'ledger', instanceFolder(options.instance))
    this.#clock = options.clock
    this.#bootId = options.bootId ?? readBootId()
    this.#compactBytes = options.compactBytes ?? 256 * 1024
    this.#generation = this.#onDisk(() => {
      const generation = Generation.openCurrent(this.#directory)
      removeLeftovers(this.#directory, this.#clock.wallMs())
      return generation
    })
  }

  take(windows: readonly RateWindow[], holdMs: number): Taken {
    return this.#onDisk(() => {
      this.#readAll()
      this.#compactIfDead()
      for (let tries = 0; tries < triesMax; tries++) {
        const full = this.#calls.obstacle(windows, this.#clock.monotonicMs())
        if (full) return { place: null, ...full }
        const record = this.#record('take', { lengthMs: holdMs, longestMs: longest(windows) })
        const obstacle = this.#append(record, () => this.#calls.obstacle(windows, this.#clock.monotonicMs()))
        // The hold runs from the record on. A process that was frozen since then begins anew; so nothing that takes
        // time may come behind this.
        const isYoung = this.#clock.monotonicMs() - record.monotonicMs <= holdMs / 10
        if (!obstacle && isYoung) return { place: this.#place(record.token) }
        this.#append(this.#record('release', { token: record.token }))
        if (obstacle) return { place: null, ...obstacle }
      }
      throw new UsageError(
        `This host is too slow to call in time: ${triesMax} places in a row were late when they were taken. ` +
          'Give calls more time with --timeout.',
      )
    })
  }

  write(kind: RecordKind, fields: Partial<LogRecord>): void {
    // A call may end after the ledger was closed: its place stays taken until its hold has passed.
    if (this.#isClosed) return
    this.#onDisk(() => this.#append(this.#record(kind, fields)))
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#generation.close()
  }

  #place(token: string): Place {
    return {
      giveBack: async () => this.write('end', { token }),
      release: async () => this.write('release', { token }),
    }
  }

  #record(kind: RecordKind, fields: Partial<LogRecord>): LogRecord {
    return {
      kind,
      token: `${this.#writer}-${this.#records++}`,
      monotonicMs: this.#clock.monotonicMs(),
      wallMs: this.#clock.wallMs(),
      bootId: this.#bootId,
      lengthMs: 0,
      longestMs: 0,
      ...fields,
    }
  }

  /** Puts a record on the log where it counts. `judge` is asked with all records before it, and none behind. */
  #append<T>(record: LogRecord, judge?: () => T): T | undefined {
    const line = formatRecord(record)
    for (let tries = 0; tries < triesMax; tries++) {
      this.#generation.append(line)
      switch (this.#readUpTo(line)) {
        case 'found': {
          const judgement = judge?.()
          this.#apply(record)
          return judgement
        }
        case 'sealed':
          this.#goOn()
          continue
        case 'end':
          throw new UsageError(
            `The ledger in ${this.#directory} was changed by something else. Stop all runs and remove that directory.`,
          )
      }
    }
    throw new Error(`No generation of the ledger in ${this.#directory} stays open`)
  }

  #readAll(): void {
    while (this.#readUpTo(null) === 'sealed') this.#goOn()
  }

  #readUpTo(ownLine: string | null): 'found' | 'sealed' | 'end' {
    for (const line of this.#generation.lines()) {
      if (line === ownLine) return 'found'
      const record = parseRecord(line)
      if (record?.kind === 'seal') return 'sealed'
      if (record) this.#apply(record)
    }
    return 'end'
  }

  #apply(record: LogRecord): void {
    const atMs = this.#monotonicOf(record)
    switch (record.kind) {
      case 'take':
        this.#calls.nameWindow(record.longestMs, atMs)
        this.#calls.take(record.token, atMs + record.lengthMs)
        break
      case 'end':
        this.#calls.end(record.token, atMs)
        break
      case 'release':
        this.#calls.release(record.token)
        break
      case 'closed':
        this.#calls.closeUntil(atMs + record.lengthMs)
        break
      case 'window':
        this.#calls.nameWindow(record.longestMs, atMs)
        break
      case 'seal':
        break
    }
  }

  /** When it was written, on this process's clock. After a wall clock went back it counts as written just now. */
  #monotonicOf(record: LogRecord): number {
    if (record.bootId === this.#bootId && record.bootId !== unknownBoot) return record.monotonicMs
    const ageMs = Math.max(0, this.#clock.wallMs() - record.wallMs)
    return this.#clock.monotonicMs() - ageMs
  }

  #compactIfDead(): void {
    const isLong = this.#generation.offset > this.#compactBytes
    if (!isLong || this.#generation.offset < 2 * this.#calls.size * recordBytes) return
    this.#generation.append(formatRecord(this.#record('seal', {})))
    this.#readAll()
  }

  /** On to the generation after the sealed one. */
  #goOn(): void {
    this.#generation = this.#generation.next(this.#directory, () => this.#snapshot())
    this.#calls = new CallsOnRecord()
    this.#readAll()
  }

  #snapshot(): string {
    const nowMs = this.#clock.monotonicMs()
    const wallMs = this.#clock.wallMs()
    const { inFlight, ended, windowsNamed, closedUntilMs } = this.#calls.snapshot(nowMs)
    const at = (atMs: number) => ({ monotonicMs: atMs, wallMs: wallMs + atMs - nowMs })
    const records = [
      ...windowsNamed.map(([longestMs, atMs]) => this.#record('window', { longestMs, ...at(atMs) })),
      ...inFlight.map(([token, untilMs]) =>
        this.#record('take', { token, ...at(nowMs), lengthMs: untilMs - nowMs }),
      ),
      ...ended.map((endedAtMs) => this.#record('end', at(endedAtMs))),
    ]
    if (closedUntilMs) records.push(this.#record('closed', { ...at(nowMs), lengthMs: closedUntilMs - nowMs }))
    return records.map((record) => `\n${formatRecord(record)}\n`).join('')
  }

  #onDisk<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error)) throw error
      throw new UsageError(
        `The ledger of calls in ${this.#directory} can't be used (${error.message}). Make ${this.#stateDirectory} ` +
          'writable and see that there is space, or set ADA_BULK_STATE to another directory on a local disk.',
        { cause: error },
      )
    }
  }
}

/** Others would have to get in between this often. */
const triesMax = 100

/** What a record takes on disk, about. */
const recordBytes = 80

const longest = (windows: readonly RateWindow[]) => Math.max(0, ...windows.map(({ perMs }) => perMs))
