import { randomBytes } from 'node:crypto'
import { closeSync, constants, openSync, readdirSync, readSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory } from '../system/files.js'
import { unknownBoot } from '../system/host.js'
import { CallsOnRecord } from './calls-on-record.js'

/**
 * The log of one instance, shared by processes, and the calls that it has on record. Every method runs from start to
 * end without waiting, so the records of one process never mix.
 *
 * The log is a row of segments, `<number>.log`. Records behind a segment's seal are void: their writers find the seal
 * first, and write them again into the next segment. A segment is removed when nothing in it counts any more, but the
 * highest one never is, so the highest number never falls. A process that opens a segment checks
 * afterwards that it is the highest: a slow one may have created a segment again that was removed long ago.
 */
export class SharedLog {
  /** As far as the log has been read. */
  readonly calls = new CallsOnRecord()
  readonly #writer = randomBytes(6).toString('hex')
  #records = 0
  /** Earlier segments, ascending; all of them were read. */
  readonly #earlier: Segment[] = []
  #segment: Segment

  /** The directory holds the segments and nothing else. A segment that has grown to `segmentBytes` is sealed. */
  constructor(
    private readonly directory: string,
    private readonly clock: Clock,
    private readonly bootId: string,
    private readonly segmentBytes: number,
  ) {
    makeDirectory(directory, 0o700)
    this.#segment = this.#openLatest()
    this.#readAll()
    this.#removeDead()
  }

  /** A record as of now. */
  record(kind: RecordKind, fields: Partial<LogRecord> = {}): LogRecord {
    return {
      kind,
      token: `${this.#writer}-${this.#records++}`,
      monotonicMs: this.clock.monotonicMs(),
      wallMs: this.clock.wallMs(),
      bootId: this.bootId,
      lengthMs: 0,
      longestMs: 0,
      ...fields,
    }
  }

  /** Reads what others have written, and begins the next segment when this one is long. */
  catchUp(): void {
    this.#readAll()
    if (this.#segment.offset <= this.segmentBytes) return
    this.#segment.append(formatRecord(this.record('seal')))
    this.#readAll()
    this.#removeDead()
  }

  /** Writes a record where it counts. `judge` is called with all records before it applied, and none behind it. */
  append<T>(record: LogRecord, judge?: () => T): T | undefined {
    const line = formatRecord(record)
    for (let tries = 0; tries < triesMax; tries++) {
      this.#segment.append(line)
      const end = this.#readUpTo(this.#segment, line)
      if (end === 'found') {
        const judgement = judge?.()
        this.#apply(record, this.#segment)
        return judgement
      }
      if (end === 'end')
        throw new UsageError(
          `The ledger in ${this.directory} was changed by something else. Stop all runs and remove that directory.`,
        )
      this.#goOn()
    }
    throw new Error(`No segment of the ledger in ${this.directory} stays open`)
  }

  close(): void {
    this.#segment.close()
  }

  #readAll(): void {
    while (this.#readUpTo(this.#segment, null) === 'sealed') this.#goOn()
  }

  #readUpTo(segment: Segment, ownLine: string | null): 'found' | 'sealed' | 'end' {
    if (segment.isSealed) return 'sealed'
    for (const line of segment.lines()) {
      if (line === ownLine) return 'found'
      const record = parseRecord(line)
      if (record) this.#apply(record, segment)
      if (segment.isSealed) return 'sealed'
    }
    return 'end'
  }

  #apply(record: LogRecord, segment: Segment): void {
    const { kind, token } = record
    const atMs = this.#monotonicOf(record)
    const untilMs = atMs + record.lengthMs
    segment.countsUntilMs = Math.max(segment.countsUntilMs, untilMs)
    this.calls.nameWindow(record.longestMs, atMs)
    if (kind === 'take') this.calls.take(token, untilMs)
    if (kind === 'end') this.calls.end(token, atMs)
    if (kind === 'release') this.calls.release(token)
    if (kind === 'closed') this.calls.blockUntil(untilMs)
    if (kind === 'seal') segment.isSealed = true
  }

  /** When it was written, on this process's clock. After the wall clock went back it counts as written just now. */
  #monotonicOf(record: LogRecord): number {
    if (record.bootId === this.bootId && this.bootId !== unknownBoot) return record.monotonicMs
    return this.clock.monotonicMs() - Math.max(0, this.clock.wallMs() - record.wallMs)
  }

  /** Leaves the sealed segment for the latest one. */
  #goOn(): void {
    const sealed = this.#segment
    if (!this.#earlier.includes(sealed)) this.#earlier.push(sealed)
    this.#segment = this.#openLatest()
    sealed.close()
  }

  /** Reads the segments that are new, and opens the highest; the next one when there is none. */
  #openLatest(): Segment {
    for (let tries = 0; tries < triesMax; tries++) {
      const known = this.#earlier.at(-1)?.number ?? 0
      const numbers = segmentNumbers(this.directory).filter((number) => number > known)
      const highest = numbers.pop() ?? known + 1
      for (const number of numbers) this.#readEarlier(number)
      const segment = Segment.open(
        this.directory,
        highest,
        constants.O_RDWR | constants.O_APPEND | constants.O_CREAT,
      )
      if (segmentNumbers(this.directory).at(-1) === highest) return segment
      segment.close()
    }
    throw new Error(`No segment of the ledger in ${this.directory} stays the latest`)
  }

  #readEarlier(number: number): void {
    try {
      const segment = Segment.open(this.directory, number, constants.O_RDONLY)
      this.#readUpTo(segment, null)
      segment.close()
      this.#earlier.push(segment)
    } catch (error) {
      // Another process has just removed it.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  /** In order, so that the end of a call is never removed before its start. */
  #removeDead(): void {
    const nowMs = this.clock.monotonicMs()
    const keepMs = this.calls.keepMs(nowMs)
    while (this.#earlier.length > 0 && this.#earlier[0]!.countsUntilMs + keepMs <= nowMs) {
      const { number } = this.#earlier.shift()!
      rmSync(segmentPath(this.directory, number), { force: true })
    }
  }
}

/** Other processes would have to come between this often. */
const triesMax = 100

/** One file of the log. */
class Segment {
  /** Bytes read so far. */
  offset = 0
  isSealed = false
  /** When its last call counts as ended, at the latest. */
  countsUntilMs = -Infinity

  private constructor(
    readonly number: number,
    readonly fileDescriptor: number,
  ) {}

  static open(directory: string, number: number, flags: number): Segment {
    return new Segment(number, openSync(segmentPath(directory, number), flags, 0o600))
  }

  /**
   * Adds one line to the end with one write, which other processes see whole, before or behind theirs. It begins and
   * ends with a line end, so a torn line spoils only itself.
   */
  append(line: string): void {
    const bytes = Buffer.from(`\n${line}\n`, 'latin1')
    if (writeSync(this.fileDescriptor, bytes) === bytes.length) return
    throw Object.assign(new Error('ENOSPC: only a part was written'), { code: 'ENOSPC' })
  }

  /** The whole lines from the offset on. The offset is behind the line that was yielded last. */
  *lines(): Generator<string> {
    for (;;) {
      const length = readSync(this.fileDescriptor, buffer, 0, buffer.length, this.offset)
      const text = buffer.toString('latin1', 0, length)
      const end = text.lastIndexOf('\n')
      if (end < 0) {
        if (length < buffer.length) return
        // No record is this long.
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

/** Shared by all segments: nothing waits between reading and using it. */
const buffer = Buffer.allocUnsafe(64 * 1024)

const segmentPath = (directory: string, number: number) => join(directory, `${number}.log`)

/** Ascending. */
function segmentNumbers(directory: string): number[] {
  return readdirSync(directory)
    .flatMap((name) => (/^\d{1,15}\.log$/.test(name) ? [Number.parseInt(name, 10)] : []))
    .sort((a, b) => a - b)
}

/** One line of the log. */
export interface LogRecord {
  kind: RecordKind
  /** The call of a `take`, `end` or `release`; otherwise only to tell lines apart. */
  token: string
  /** When it was written, or when the answer of an `end` was seen, on two clocks: monotonic times compare only within
   * one start of the host. */
  monotonicMs: number
  wallMs: number
  bootId: string
  /** How long the call of a `take` may last, or how long a `closed` blocks calls. */
  lengthMs: number
  /** The longest window that the writer of a `take` or `window` counts with. */
  longestMs: number
}

const kinds = [
  /** A slot was taken, if the records before it leave room. */
  'take',
  /** The answer was seen; the slot comes back one window later. */
  'end',
  /** The call never left; the slot is free. */
  'release',
  /** The API asked for silence. */
  'closed',
  /** A caller counts with a window this long. Version 0.1 wrote it. */
  'window',
  /** All records behind this one are void; the next segment continues. */
  'seal',
] as const
export type RecordKind = (typeof kinds)[number]

/** Without its line ends. The mark at its end tells a whole record from one that a full disk tore. */
function formatRecord(record: LogRecord): string {
  const times = [record.monotonicMs.toFixed(3), record.wallMs.toFixed(0), record.bootId]
  return [record.kind, record.token, ...times, record.lengthMs, record.longestMs, endMark].join(' ')
}

/** Null when the line is not a whole record. */
function parseRecord(line: string): LogRecord | null {
  const [name, token = '', monotonic, wall, bootId = '', length, longest, ...rest] = line.split(' ')
  const kind = kinds.find((one) => one === name)
  const numbers = [monotonic, wall, length, longest].map(Number) as [number, number, number, number]
  if (!kind || rest.join() !== endMark || !numbers.every(Number.isFinite)) return null
  const [monotonicMs, wallMs, lengthMs, longestMs] = numbers
  return { kind, token, monotonicMs, wallMs, bootId, lengthMs, longestMs }
}

const endMark = ';'
