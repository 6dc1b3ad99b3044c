import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { CheckpointEvent } from './checkpoint.js'
import { fieldsOfLine, notOurs } from './line-shapes.js'
import { readSpan, scanLines } from './lines.js'
import { firstHead } from './log.js'
import type { RareLine } from './read.js'
import type { RunFile } from './run-file.js'

/** Is told what happened in a run, in the order in which it did. */
export interface History {
  onEvent(event: CheckpointEvent): void
  /** A call left. */
  onCall(atMs: number): void
  /** A call was answered, or given up, so long after it had left. */
  onAnswer(ms: number): void
  /** A call settled nothing; `no_answer` when none came. */
  onBack(reason: string): void
  /** An item was settled, by a call or without. */
  onSettled(atMs: number): void
}

const noAnswer = 'no_answer'

/** The first letter of a line's first field tells what it is: `n`, `sent`, `look`, or one that is rare. */
const firstLetter = '{"'.length
const [n, s, l] = Buffer.from('nsl')
const [afterN, afterSent] = ['{"n":'.length, '{"sent":'.length]
const timeStart = Buffer.from('"at":"')
const yearTenThousandMs = Date.UTC(10_000)
/** Of most lines the time is the last field but `prev`, which is as long in every line. */
const fromTimeToEnd = `2026-11-22T20:35:45.874Z","prev":"${firstHead}"}`.length

/** Reads a checkpoint, which `readCheckpoint` has found whole, for what happened when. Lines that are many are not parsed. */
export function readHistory(path: string, see: History, bytesMax?: number): { head: string; lastMs: number } {
  const inFlight = new Map<number, number>()
  let lastMs = Number.NEGATIVE_INFINITY
  let lastLine = { from: 0, to: 0 }
  if (!existsSync(path)) return { head: firstHead, lastMs }

  const answered = (ordinal: number, atMs: number) => {
    const sentMs = inFlight.get(ordinal)
    if (sentMs === undefined) return
    inFlight.delete(ordinal)
    see.onAnswer(Math.max(0, atMs - sentMs))
  }
  scanLines(
    path,
    (buffer, start, end, offset) => {
      lastLine = { from: offset, to: offset + end - start + 1 }
      const atMs = timeIn(buffer, start, end)
      if (atMs > lastMs) lastMs = atMs
      const letter = buffer[start + firstLetter]
      if ((letter === n || letter === s || letter === l) && !(atMs >= 0 && atMs < yearTenThousandMs))
        throw notOurs(path, `byte ${offset}`)
      if (letter === n) {
        answered(digits(buffer, start + afterN), atMs)
        see.onSettled(atMs)
      } else if (letter === s || letter === l) {
        const ordinal = digits(buffer, start + afterSent)
        // It is called again, and the call before was neither answered nor given up: its answer was lost.
        if (inFlight.has(ordinal)) see.onBack(noAnswer)
        inFlight.set(ordinal, atMs)
        see.onCall(atMs)
      } else {
        const fields = fieldsOfLine(buffer.toString('utf8', start, end)) as RareLine | null
        if (fields === null) throw notOurs(path, `byte ${offset}`)
        if ('back' in fields) {
          answered(fields.back, atMs)
          see.onBack(fields.reason)
        } else if ('batch' in fields) {
          if (fields.did === 'sent' || fields.did === 'asked') see.onCall(atMs)
          else if ('reason' in fields) see.onBack(fields.reason)
        } else if ('event' in fields) {
          // What was in flight when a process died was never answered.
          if (fields.event === 'resumed' || fields.event === 'input-changed') {
            for (const _ of inFlight) see.onBack(noAnswer)
            inFlight.clear()
          }
          see.onEvent(fields)
        }
      }
    },
    bytesMax,
  )
  const { from, to } = lastLine
  return { head: to === 0 ? firstHead : hash('sha256', readSpan(path, from, to)), lastMs }
}

/** The run with its input as it was last accepted. */
export function withAcceptedInput(run: RunFile, { events }: { events: readonly CheckpointEvent[] }): RunFile {
  const accepted = events.findLast((event) => event.event === 'input-changed')
  return accepted === undefined
    ? run
    : { ...run, input: accepted.input, plan: accepted.plan, duplicates: undefined }
}

/** The time of a line; no text in it can look like this field, as its quotes would be escaped. */
function timeIn(buffer: Buffer, start: number, end: number): number {
  let from = end - fromTimeToEnd
  if (!isTimeAt(buffer, from)) {
    from = buffer.indexOf(timeStart, start) + timeStart.length
    if (from < timeStart.length || from > end) return Number.NaN
  }
  const day = Date.UTC(digits(buffer, from), digits(buffer, from + 5) - 1, digits(buffer, from + 8))
  const minutes = digits(buffer, from + 11) * 60 + digits(buffer, from + 14)
  return day + minutes * 60_000 + digits(buffer, from + 17) * 1000 + digits(buffer, from + 20)
}

function isTimeAt(buffer: Buffer, at: number): boolean {
  for (let index = 1; index <= timeStart.length; index++) {
    if (buffer[at - index] !== timeStart[timeStart.length - index]) return false
  }
  return true
}

/** The whole number that begins here. */
function digits(buffer: Buffer, from: number): number {
  let number = 0
  for (let index = from; ; index++) {
    const digit = buffer[index]! - 48
    if (!(digit >= 0 && digit <= 9)) return number
    number = number * 10 + digit
  }
}
