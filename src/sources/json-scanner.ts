import { UsageError } from '../system/errors.js'
import {
  afterScalar,
  colon,
  comma,
  curly,
  curlyEnd,
  type Extent,
  extentOf,
  isSpace,
  type Kind,
  square,
  squareEnd,
} from './json-extent.js'
import { broken, faultIn, type Place, placeText } from './json-fault.js'

/** A record as it is in the file, or another value in its place. */
export interface Found extends Place {
  text: string
  /** How deep its brackets are nested. */
  levels: number
  /** It fills its line, as others do before it, and is damaged. */
  isBadLine: boolean
}

/** Ada's records have a few KB. */
const recordBytesMax = 16 * 1024 * 1024
const likelyDamageBytes = 1024 * 1024

/**
 * Finds the records in an export of any shape: pages (objects with their records in an array), records, or both, one
 * after another or in an array. Nothing is kept but the record that is not complete yet.
 */
export class JsonScanner {
  /** Whether there was an array that holds records, if only it had any. */
  hasArray = false
  readonly #unread = new Unread()
  #found: Found[] = []
  #foundCount = 0
  #place: 'outside' | 'array' | 'records' | 'rest of page' = 'outside'
  #isInArray = false
  #expected: 'a record' | 'a record or ]' | ', or ]' = 'a record'
  /** The text around the records of the page. */
  #envelope = ''
  /** The line of the last record outside of arrays, if it had no more than one. */
  #ownLine: number | undefined
  /** Whether such a record had its line for itself. */
  #isLines = false

  constructor(private readonly name: string) {}

  /** The records that the piece completes. */
  next(piece: Buffer): Found[] {
    return this.#unread.add(piece) ? this.#scan() : []
  }

  /** Those in what is left. Throws a UsageError if the file ends too early, unless that is accepted. */
  end(isCutOff: boolean, acceptTruncated: boolean): Found[] {
    this.#unread.end()
    const found = this.#scan()
    const isTruncated = isCutOff || this.#place !== 'outside' || this.#unread.length > 0
    this.#refuseFault(this.#pending(this.#unread.bytes.length))
    if (!isTruncated || acceptTruncated) return found
    this.#unread.skipTo(this.#unread.bytes.length)
    const records = this.#foundCount === 1 ? '1 whole record' : `${this.#foundCount} whole records`
    throw new UsageError(
      `${this.name} is cut off at ${placeText(this.#unread)}, with ${records} before that. Get a whole copy, or take those records with --accept-truncated.`,
    )
  }

  #scan(): Found[] {
    this.#found = []
    while (this.#unread.length > 0 && this.#step());
    this.#refuseLong(this.#unread.bytes.length)
    this.#foundCount += this.#found.length
    return this.#found
  }

  /** Takes the next thing. False when the bytes do not hold all of it. */
  #step(): boolean {
    const byte = this.#unread.bytes[this.#unread.at]!
    if (this.#place === 'rest of page') return this.#takeValue('rest of page')
    if (isSpace(byte)) return this.#skipTo(this.#unread.at + 1)
    if (this.#place !== 'outside') return this.#takeInArray(byte)
    this.#isLines ||= this.#ownLine !== undefined && this.#unread.line > this.#ownLine
    if (byte === curly) return this.#isLines ? this.#takeLine() : this.#takeValue('record or page')
    if (byte === square) return this.#openArray('array', this.#unread.at + 1)
    return this.#isLines ? this.#takeBadLine() : this.#refuse('{ or [')
  }

  #takeInArray(byte: number): boolean {
    const isClosing = byte === squareEnd && this.#expected !== 'a record'
    if (isClosing && this.#place === 'array') return this.#close(this.#unread.at + 1)
    if (isClosing) {
      this.#place = 'rest of page'
      return true
    }
    if (this.#expected === ', or ]') {
      if (byte !== comma) this.#refuse(', or ]')
      this.#expected = 'a record'
      return this.#skipTo(this.#unread.at + 1)
    }
    if (byte === curly) return this.#takeValue(this.#place === 'array' ? 'record or page' : 'record')
    if (byte === square) return this.#takeValue('record')
    if (byte === comma || byte === colon || byte === curlyEnd || byte === squareEnd)
      this.#refuse(this.#expected)
    const end = afterScalar(this.#unread.bytes, this.#unread.at)
    return end !== undefined && this.#give(end, 0)
  }

  #takeValue(kind: Kind): boolean {
    const { bytes, at } = this.#unread
    return this.#take(extentOf(bytes, at, bytes.length, kind), kind)
  }

  /** In a file with a record on each line a damaged one ends with its line, and takes no other with it. */
  #takeLine(): boolean {
    const { bytes, at, lineEnd, isAll } = this.#unread
    const extent = extentOf(bytes, at, lineEnd ?? bytes.length, 'record or page')
    if (extent.stop === 'end' || extent.stop === 'page') return this.#take(extent, 'record or page')
    if (lineEnd === undefined) return isAll && extent.stop === 'mismatch' && this.#takeBadLine()
    // This is how a pretty-printed value begins.
    const isBracketAlone = bytes.toString('latin1', at + 1, lineEnd).trim() === ''
    return isBracketAlone ? this.#takeValue('record or page') : this.#takeBadLine()
  }

  #takeBadLine(): boolean {
    const { bytes, lineEnd, isAll } = this.#unread
    const end = lineEnd ?? (isAll ? bytes.length : undefined)
    return end !== undefined && this.#give(end, 0, true)
  }

  #take(extent: Extent, kind: Kind): boolean {
    switch (extent.stop) {
      case 'more':
        return false
      case 'mismatch':
        this.#refuseFault(this.#pending(extent.at + 1))
        throw new Error('A bracket is of the wrong kind, and yet the text is in order.')
      case 'page':
        this.#envelope = this.#pending(extent.at)
        this.#refuseFault(this.#envelope)
        return this.#openArray('records', extent.at)
      case 'end':
        if (kind !== 'rest of page') return this.#give(extent.at, extent.levels)
        this.#refuseFault(this.#pending(extent.at))
        return this.#close(extent.at)
    }
  }

  #openArray(place: 'array' | 'records', at: number): boolean {
    this.#place = place
    this.#isInArray ||= place === 'array'
    this.#expected = 'a record or ]'
    this.hasArray = true
    return this.#skipTo(at)
  }

  /** Ends a page, or the array around everything. */
  #close(at: number): boolean {
    this.#isInArray &&= this.#place === 'rest of page'
    this.#place = this.#isInArray ? 'array' : 'outside'
    this.#expected = ', or ]'
    this.#envelope = ''
    return this.#skipTo(at)
  }

  #give(end: number, levels: number, isBadLine = false): boolean {
    const { bytes, at, line, position } = this.#unread
    this.#refuseLong(end)
    this.#found.push({ text: bytes.toString('utf8', at, end), line, position, levels, isBadLine })
    this.#skipTo(end)
    this.#expected = ', or ]'
    if (this.#place !== 'outside') return true
    this.#ownLine = this.#unread.line === line ? line : undefined
    this.#isLines &&= this.#ownLine !== undefined
    return true
  }

  #skipTo(at: number): boolean {
    this.#unread.skipTo(at)
    return true
  }

  /** What is read but not given yet, with a character for each byte. */
  #pending(end: number): string {
    const { bytes, at } = this.#unread
    const rest = bytes.toString('latin1', at, end)
    return this.#place === 'rest of page' ? this.#envelope + rest : rest
  }

  /** Throws if the text cannot be the beginning of JSON. */
  #refuseFault(pending: string): void {
    const fault = pending === '' ? null : faultIn(pending)
    const before = this.#place === 'rest of page' ? this.#envelope.length : 0
    if (fault && fault.at < pending.length) this.#refuse(fault.expected, fault.at - before)
  }

  #refuseLong(end: number): void {
    const { at } = this.#unread
    if (end - at <= recordBytesMax) return
    // Mostly its end was lost to damage near its beginning.
    this.#refuseFault(this.#pending(Math.min(end, at + likelyDamageBytes)))
    throw new UsageError(
      `${this.name}, ${placeText(this.#unread)}: the record that begins here is longer than 16 MiB. Is this a data export?`,
    )
  }

  #refuse(expected: string, offset = 0): never {
    const { bytes, at } = this.#unread
    throw broken(bytes.subarray(at), offset, this.#unread, this.name, expected)
  }
}

const newline = 0x0a

/** The bytes of a file that are not taken yet, and where in the file they are. */
class Unread {
  bytes: Buffer = Buffer.alloc(0)
  /** Where in the bytes the next thing begins; its line in the file, from 1. */
  at = 0
  line = 1
  isAll = false
  #positionOfBytes = 0
  /** The next line end. Looked up once, or a page without any would be searched through for each record. */
  #newline = -1
  #waiting: Buffer[] = []
  #waitingLength = 0

  /** The place of the next thing in the file, from 0. */
  get position(): number {
    return this.#positionOfBytes + this.at
  }

  get length(): number {
    return this.bytes.length - this.at
  }

  /** Where the line ends, if the bytes reach that far. */
  get lineEnd(): number | undefined {
    return this.#newline < 0 ? undefined : this.#newline
  }

  /** Whether it is worth another look: what is longer than the pieces gets one when it has doubled. */
  add(piece: Buffer): boolean {
    this.#waiting.push(piece)
    this.#waitingLength += piece.length
    if (this.#waitingLength < this.length) return false
    this.#join()
    return true
  }

  end(): void {
    this.#join()
    this.isAll = true
  }

  skipTo(at: number): void {
    this.at = at
    while (this.#newline >= 0 && this.#newline < at) {
      this.line++
      this.#newline = this.bytes.indexOf(newline, this.#newline + 1)
    }
  }

  #join(): void {
    this.#positionOfBytes += this.at
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), ...this.#waiting])
    this.at = 0
    this.#newline = this.bytes.indexOf(newline)
    this.#waiting = []
    this.#waitingLength = 0
  }
}
