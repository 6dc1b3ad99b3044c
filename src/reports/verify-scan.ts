import { hash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { eventOf, faultOf } from '../checkpoint/codec.js'
import type { EndEvent, LifecycleEvent } from '../checkpoint/events.js'
import { LineOffsets } from '../checkpoint/items.js'
import { firstHead, scanLines } from '../checkpoint/log.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Totals } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { IdSet } from '../sources/id-set.js'
import { Replay } from './verify-replay.js'

/** What a checkpoint amounts to after one of its lines. */
export interface Snapshot {
  line: number
  /** Length of the checkpoint up to here, this line included. */
  bytes: number
  totals: Totals
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
}

/** What one pass over a checkpoint found. */
export interface Scan {
  /** After the last line, and its hash. */
  end: Snapshot
  head: string
  /** After each line that ends or stops the run, in their order. */
  ends: (Snapshot & { event: EndEvent })[]
  /** After the lines that have a wanted hash. */
  marks: Map<string, Snapshot>
  events: LifecycleEvent[]
  /** Where the lines of the settled items begin. */
  offsets: LineOffsets
  /** Bytes behind the last line end. */
  tornBytes: number
  chainFault: string | null
  /** The first line that no run would have written there. */
  lineFault: string | null
  linesTooEarly: number
}

/** Reads every line once; `wanted` are hashes of lines to be noted. Needs no memory of the lines. */
export function scanRecord(path: string, run: RunFile, wanted: readonly (string | null | undefined)[]): Scan {
  const replay = new Replay(run.plan.read, run.startedAt, (item) => settledBefore().has(identity(item)))
  const chain = new Chain()
  const scan = { ends: [] as Scan['ends'], marks: new Map<string, Snapshot>(), offsets: new LineOffsets() }
  let lineFault: string | null = null
  let bytes = 0
  /** Where the ordinals of an input begin to count. */
  let epochs = [0]
  let settled: IdSet | null = null
  const snapshot = (): Snapshot => ({
    line: chain.lines,
    bytes,
    totals: replay.tally.totals(replay.read),
    reasons: replay.tally.reasons(),
    requests: { ...replay.requests },
  })
  /** Read again only when the input has changed. */
  const settledBefore = () => {
    settled ??= settledBetween(path, epochs.at(-2)!, epochs.at(-1)!)
    return settled
  }
  // While the run is at work, only the lines that are there now: all checks see the same.
  const size = existsSync(path) ? statSync(path).size : 0
  const onLine = (buffer: Buffer, start: number, end: number, offset: number) => {
    const text = buffer.toString('utf8', start, end)
    const hashOfLine = chain.add(buffer.subarray(start, end + 1), text)
    bytes = offset + end + 1 - start
    const event = eventOf(text)
    if (event?.event === 'input-changed') {
      epochs = [...epochs, offset]
      settled = null
      scan.offsets.clear()
    }
    const fault = event === null ? faultOf(text) : replay.add(event)
    if (fault !== null) lineFault ??= `line ${chain.lines} ${fault}`
    else if (event?.event === 'settled') scan.offsets.set(event.settled.ordinal, offset)
    if (event?.event === 'stopped' || event?.event === 'finished') scan.ends.push({ ...snapshot(), event })
    if (wanted.includes(hashOfLine)) scan.marks.set(hashOfLine, snapshot())
  }
  // Refuses what is no file, whatever its size.
  if (existsSync(path)) scanLines(path, onLine, size)
  return {
    ...scan,
    end: snapshot(),
    head: chain.head,
    events: replay.events,
    tornBytes: size - bytes,
    chainFault: chain.fault(),
    lineFault,
    linesTooEarly: replay.linesTooEarly,
  }
}

function settledBetween(path: string, from: number, to: number): IdSet {
  const settled = new IdSet()
  const onLine = (buffer: Buffer, start: number, end: number, offset: number) => {
    const event = offset < from ? null : eventOf(buffer.toString('utf8', start, end))
    if (event?.event === 'settled') settled.add(identity(event.settled))
  }
  scanLines(path, onLine, to)
  return settled
}

/** All of a settled item but its place in the input. */
function identity(item: SettledItem): string {
  const { id, status, reason, httpStatus, attempts, finishedAt, durationMs, message } = item
  const all = [id, status, reason, httpStatus, attempts, finishedAt, durationMs, message]
  return hash('sha1', JSON.stringify(all))
}

/** A line as the chain sees it. */
interface Link {
  number: number
  /** The hash that it names as that of the line before; null when it names none. */
  prev: string | null
  hash: string
}

/** Follows the hashes from line to line. The lines around the first misfit tell what kind of edit it looks like. */
class Chain {
  #last: Link = { number: 0, prev: null, hash: firstHead }
  /** The line before the first misfit, the misfit, and the line after it. */
  #around: Link[] = []
  #misfits = 0

  /** Takes the next line with its line end, and its text without; returns its hash. */
  add(line: Buffer, text: string): string {
    const before = this.#last
    const link = { number: before.number + 1, prev: prevOf(text, before.hash), hash: hash('sha256', line) }
    if (this.#around.length === 2) this.#around.push(link)
    if (link.prev !== before.hash && ++this.#misfits === 1) this.#around = [before, link]
    this.#last = link
    return link.hash
  }

  get head(): string {
    return this.#last.hash
  }

  get lines(): number {
    return this.#last.number
  }

  /** The first misfit, and what was probably done to it; null when all lines fit. */
  fault(): string | null {
    const [before, misfit, next = null] = this.#around
    if (before === undefined || misfit === undefined) return null
    const all = this.#misfits === 1 ? '' : ` (${this.#misfits} lines in all do not fit)`
    return `line ${misfit.number} ${whatHappened(before, misfit, next)}${all}`
  }
}

const tail = /,"prev":"([0-9a-f]{64})"\}$/

/** Most lines name the hash that is expected, and that is quickly seen. */
function prevOf(text: string, expected: string): string | null {
  return text.endsWith(`,"prev":"${expected}"}`) ? expected : (tail.exec(text)?.[1] ?? null)
}

function whatHappened(before: Link, misfit: Link, next: Link | null): string {
  const { number } = misfit
  if (misfit.hash === before.hash) return `is a copy of line ${before.number}`
  if (next?.prev === before.hash)
    return misfit.prev === next.hash
      ? `and line ${next.number} have changed places`
      : `was added: line ${next.number} follows ${number === 1 ? 'nothing' : `line ${before.number}`}, as if it were not there`
  if (misfit.prev === null) return 'was changed or cut short: it does not end with the hash of a line before'
  if (next !== null && next.prev !== misfit.hash) return 'was changed: neither side of it fits any more'
  if (number === 1) return 'names a line before it: the first lines are gone'
  const suspect = next === null ? `line ${before.number} or ${number}` : `line ${before.number}`
  return `does not follow line ${before.number}: ${suspect} was changed, or lines between them are gone`
}
