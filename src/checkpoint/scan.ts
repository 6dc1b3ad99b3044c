import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type Status, statuses } from '../item.js'
import type { UsageError } from '../system/errors.js'
import { eventOf, notOurs } from './codec.js'
import { ordinalMax, type RunEvent } from './events.js'
import { firstHead, readSpan, scanLines } from './log.js'

const zero = 48
const nine = 57
const comma = 44
const quote = 34
const brace = 125
const [n, s, l] = Buffer.from('nsl')
const settledStart = Buffer.from('{"n":')
const sentStart = Buffer.from('{"sent":')
const checkStart = Buffer.from('{"look":')
const firstLetter = '{"'.length
const statusStart = Buffer.from(',"status":"')
const outcomeQuotes = 5
const atStart = Buffer.from('"at":"')
/** The time is the last field before `prev` in most lines, and `prev` is as long in every line. */
const fromTimeToEnd = `2026-11-22T20:35:45.874Z","prev":"${firstHead}"}`.length

/**
 * A line of which only the first bytes are looked at; the rest is read when it is asked for. There is one object for
 * all lines of a scan.
 */
export class Line {
  /** Where it begins in the file. */
  offset = 0
  /** `other`: it has to be parsed. */
  kind: 'settled' | 'call-sent' | 'check-sent' | 'other' = 'other'
  /** Of the item, unless the kind is `other`. */
  ordinal = 0
  readonly #path: string
  #number = 0
  #buffer: Buffer = settledStart
  #start = 0
  #end = 0
  #afterOrdinal = 0
  /** The next byte that no line of ours has, in this buffer from here on: a power cut leaves pages of zeros. */
  #zeroAt = -1
  #lastOutcome = Buffer.from('\n')
  #outcome = ''

  constructor(path: string) {
    this.#path = path
  }

  move(buffer: Buffer, start: number, end: number, offset: number): void {
    // A buffer that is filled again is read from an earlier place on.
    if (buffer !== this.#buffer || start <= this.#start || this.#zeroAt < start)
      this.#zeroAt = (buffer.indexOf(0, start) + 1 || buffer.length + 1) - 1
    this.offset = offset
    this.#number += 1
    this.#buffer = buffer
    this.#start = start
    this.#end = end
    if (this.#zeroAt < end || buffer[end - 1] !== brace) throw this.notOurs()
    const letter = buffer[start + firstLetter]
    if (letter === n && startsWith(buffer, start, settledStart)) this.#begins('settled', settledStart.length)
    else if (letter === s && startsWith(buffer, start, sentStart)) this.#begins('call-sent', sentStart.length)
    else if (letter === l && startsWith(buffer, start, checkStart))
      this.#begins('check-sent', checkStart.length)
    else this.kind = 'other'
  }

  #begins(kind: Line['kind'], length: number): void {
    const buffer = this.#buffer
    const from = this.#start + length
    let ordinal = 0
    let to = from
    for (; isDigit(buffer[to]!); to++) ordinal = ordinal * 10 + buffer[to]! - zero
    if (to === from || buffer[to] !== comma || ordinal > ordinalMax) throw this.notOurs()
    this.kind = kind
    this.ordinal = ordinal
    this.#afterOrdinal = to
  }

  /**
   * Status and reason of a settled item, as the bytes between their first and their last quote. Most lines have those
   * of the line before, and comparing is cheaper than making a text.
   */
  outcome(): string {
    const from = this.#afterOrdinal + statusStart.length
    if (!startsWith(this.#buffer, this.#afterOrdinal, statusStart)) throw this.notOurs()
    if (startsWith(this.#buffer, from, this.#lastOutcome)) return this.#outcome
    let quotes = 0
    let to = from
    while (to < this.#end && !(this.#buffer[to] === quote && ++quotes === outcomeQuotes)) to++
    const outcome = this.#buffer.toString('latin1', from, to)
    if (to === this.#end || !statuses.some((status) => outcome.startsWith(status + betweenStatusAndReason)))
      throw this.notOurs()
    this.#lastOutcome = Buffer.from(this.#buffer.subarray(from, to + 1))
    this.#outcome = outcome
    return outcome
  }

  /** The time; NaN if there is none. No text can look like this field, as its quotes would be escaped. */
  atMs(): number {
    const buffer = this.#buffer
    let from = this.#end - fromTimeToEnd
    if (!startsWith(buffer, from - atStart.length, atStart)) {
      from = buffer.indexOf(atStart, this.#start) + atStart.length
      if (from < atStart.length || from > this.#end) return Number.NaN
    }
    const day = Date.UTC(digits(buffer, from), digits(buffer, from + 5) - 1, digits(buffer, from + 8))
    const minutes = digits(buffer, from + 11) * 60 + digits(buffer, from + 14)
    return day + minutes * 60_000 + digits(buffer, from + 17) * 1000 + digits(buffer, from + 20)
  }

  /** All that the line says. */
  event(): RunEvent {
    const event = eventOf(this.#buffer.toString('utf8', this.#start, this.#end))
    if (event === null) throw this.notOurs()
    return event
  }

  notOurs(): UsageError {
    return notOurs(this.#path, `line ${this.#number}`)
  }
}

const betweenStatusAndReason = '","reason":"'

/** Takes apart what `outcome` returns. */
export function statusAndReason(outcome: string): [status: Status, reason: string] {
  return outcome.split(betweenStatusAndReason) as [Status, string]
}

/** Reads the lines of a checkpoint, which may be missing, by their first bytes. Throws a UsageError that names a line which is not ours. */
export function scanCheckpoint(
  path: string,
  onLine: (line: Line) => void,
  bytesMax?: number,
): { bytes: number; head: string } {
  if (!existsSync(path)) return { bytes: 0, head: firstHead }
  const line = new Line(path)
  const bytes = scanLines(
    path,
    (buffer, start, end, offset) => {
      line.move(buffer, start, end, offset)
      onLine(line)
    },
    bytesMax,
  )
  return { bytes, head: bytes === 0 ? firstHead : hash('sha256', readSpan(path, line.offset, bytes)) }
}

function startsWith(buffer: Buffer, start: number, prefix: Buffer): boolean {
  for (let index = 0; index < prefix.length; index++) {
    if (buffer[start + index] !== prefix[index]) return false
  }
  return true
}

/** The whole number that begins here. */
function digits(buffer: Buffer, from: number): number {
  let number = 0
  for (let index = from; isDigit(buffer[index]!); index++) number = number * 10 + buffer[index]! - zero
  return number
}

function isDigit(byte: number): boolean {
  return byte >= zero && byte <= nine
}
