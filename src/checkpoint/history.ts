import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import type { CheckpointEvent } from './checkpoint.js'
import { readSpan, scanLines } from './lines.js'
import { firstHead } from './log.js'

/** Is told what happened in a run, in the order in which it did. */
export interface History {
  onEvent(event: CheckpointEvent): void
  /** A call left. */
  onCall(atMs: number): void
  /** A call was answered, or given up, so long after it had left. */
  onAnswer(ms: number): void
  /** A call settled nothing. */
  onBack(reason: string): void
  /** An item was settled, by a call or without. */
  onSettled(atMs: number): void
}

const at = Buffer.from('"at":"')
const timeBytes = '2026-11-22T09:00:00.000Z'.length
const settled = '{"n":'
const sent = '{"sent":'
const look = '{"look":'

/** Reads a checkpoint, which `readCheckpoint` has found whole, for what happened when. Lines that are many are not parsed. */
export function readHistory(path: string, see: History): { head: string; lastMs: number } {
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
  scanLines(path, (buffer, start, end, offset) => {
    lastLine = { from: offset, to: offset + end - start + 1 }
    const atMs = timeIn(buffer, start, end)
    if (atMs > lastMs) lastMs = atMs
    const kind = buffer.toString('latin1', start, buffer.indexOf(58, start) + 1)
    if (kind === settled) {
      answered(numberAt(buffer, start + kind.length), atMs)
      see.onSettled(atMs)
    } else if (kind === sent || kind === look) {
      inFlight.set(numberAt(buffer, start + kind.length), atMs)
      see.onCall(atMs)
    } else {
      const fields = JSON.parse(buffer.toString('utf8', start, end))
      if ('back' in fields) {
        answered(fields.back, atMs)
        see.onBack(fields.reason)
      } else if ('event' in fields) {
        // What was in flight when a process died was never answered.
        if (fields.event === 'resumed' || fields.event === 'input-changed') inFlight.clear()
        see.onEvent(fields)
      }
    }
  })
  const { from, to } = lastLine
  return { head: to === 0 ? firstHead : hash('sha256', readSpan(path, from, to)), lastMs }
}

/** The time of a line; no text in it can look like this field, as its quotes would be escaped. */
function timeIn(buffer: Buffer, start: number, end: number): number {
  const from = buffer.indexOf(at, start) + at.length
  return from > at.length && from < end
    ? Date.parse(buffer.toString('latin1', from, from + timeBytes))
    : Number.NaN
}

/** The whole number that begins here. */
function numberAt(buffer: Buffer, start: number): number {
  return Number.parseInt(buffer.toString('latin1', start, start + 12), 10)
}
