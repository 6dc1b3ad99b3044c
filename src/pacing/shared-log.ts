import { randomBytes } from 'node:crypto'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { unknownBoot } from '../system/host.js'
import { CallsOnRecord } from './calls-on-record.js'
import { Generation, removeLeftovers } from './generation.js'
import { formatRecord, type LogRecord, parseRecord, type RecordKind } from './log-record.js'

export interface SharedLogOptions {
  /** Holds the generations of this log and nothing else. */
  directory: string
  clock: Clock
  bootId: string
  /** A log that has grown this far and is mostly dead is written anew. */
  compactBytes: number
}

/**
 * The log of one instance, shared with other processes, and what it says. Every method runs from start to end
 * without waiting, so calls of one process never mix.
 */
export class SharedLog {
  /** As far as the log has been read. */
  calls = new CallsOnRecord()
  readonly #options: SharedLogOptions
  readonly #writer = randomBytes(6).toString('hex')
  #records = 0
  #generation: Generation

  constructor(options: SharedLogOptions) {
    this.#options = options
    this.#generation = Generation.openCurrent(options.directory)
    removeLeftovers(options.directory, options.clock.wallMs())
  }

  /** A record as of now. */
  record(kind: RecordKind, fields: Partial<LogRecord> = {}): LogRecord {
    return {
      kind,
      token: `${this.#writer}-${this.#records++}`,
      monotonicMs: this.#options.clock.monotonicMs(),
      wallMs: this.#options.clock.wallMs(),
      bootId: this.#options.bootId,
      lengthMs: 0,
      longestMs: 0,
      ...fields,
    }
  }

  /** Reads what others have written, and leaves behind what counts no more if there is much of it. */
  catchUp(): void {
    this.#readAll()
    this.#compactIfDead()
  }

  /** Puts a record on the log where it counts. `judge` is asked with all records before it, and none behind. */
  append<T>(record: LogRecord, judge?: () => T): T | undefined {
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
            `The ledger in ${this.#options.directory} was changed by something else. Stop all runs and remove that directory.`,
          )
      }
    }
    throw new Error(`No generation of the ledger in ${this.#options.directory} stays open`)
  }

  close(): void {
    this.#generation.close()
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
        this.calls.nameWindow(record.longestMs, atMs)
        this.calls.take(record.token, atMs + record.lengthMs)
        break
      case 'end':
        this.calls.end(record.token, atMs)
        break
      case 'release':
        this.calls.release(record.token)
        break
      case 'closed':
        this.calls.closeUntil(atMs + record.lengthMs)
        break
      case 'window':
        this.calls.nameWindow(record.longestMs, atMs)
        break
      case 'seal':
        break
    }
  }

  /** When it was written, on this process's clock. After a wall clock went back it counts as written just now. */
  #monotonicOf(record: LogRecord): number {
    if (record.bootId === this.#options.bootId && record.bootId !== unknownBoot) return record.monotonicMs
    const ageMs = Math.max(0, this.#options.clock.wallMs() - record.wallMs)
    return this.#options.clock.monotonicMs() - ageMs
  }

  #compactIfDead(): void {
    const isLong = this.#generation.offset > this.#options.compactBytes
    if (!isLong || this.#generation.offset < 2 * this.calls.size * recordBytes) return
    this.#generation.append(formatRecord(this.record('seal')))
    this.#readAll()
  }

  /** On to the generation after the sealed one. */
  #goOn(): void {
    this.#generation = this.#generation.next(this.#options.directory, () => this.#snapshot())
    this.calls = new CallsOnRecord(this.calls.taken)
    this.#readAll()
  }

  #snapshot(): string {
    const nowMs = this.#options.clock.monotonicMs()
    const wallMs = this.#options.clock.wallMs()
    const { inFlight, ended, windowsNamed, closedUntilMs } = this.calls.snapshot(nowMs)
    const at = (atMs: number) => ({ monotonicMs: atMs, wallMs: wallMs + atMs - nowMs })
    const records = [
      ...windowsNamed.map(([longestMs, atMs]) => this.record('window', { longestMs, ...at(atMs) })),
      ...inFlight.map(([token, untilMs]) =>
        this.record('take', { token, ...at(nowMs), lengthMs: untilMs - nowMs }),
      ),
      ...ended.map((endedAtMs) => this.record('end', at(endedAtMs))),
    ]
    if (closedUntilMs) records.push(this.record('closed', { ...at(nowMs), lengthMs: closedUntilMs - nowMs }))
    return records.map((record) => `\n${formatRecord(record)}\n`).join('')
  }
}

/** Others would have to get in between this often. */
const triesMax = 100

/** What a record takes on disk, about. */
const recordBytes = 80
