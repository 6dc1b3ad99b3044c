import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { type EarlierCalls, type Status, statuses } from '../item.js'
import { type BatchNote, dropSettled, type OpenBatch, readBatchNote } from './batch-notes.js'
import { Bitset } from './bitset.js'
import type { CheckpointEvent } from './checkpoint.js'
import { numberAt, outcomeReader, settledStart, startsWith } from './first-bytes.js'
import { fieldsOfLine, notOurs, ordinalMax } from './line-shapes.js'
import { readSpan, scanLines } from './lines.js'
import { firstHead } from './log.js'
import { Tally } from './tally.js'

/** All that a checkpoint says, without the items themselves. */
export interface CheckpointState {
  /** Ordinals of settled items. */
  settled: Bitset
  tally: Tally
  /** Items that were called and are not settled, by ordinal. */
  open: Map<number, OpenCalls>
  /** Batches that were sent and are not settled, by reference. */
  batches: Map<string, OpenBatch>
  events: CheckpointEvent[]
  requests: { sent: number; rateLimited: number }
  /** Length of the whole lines, and the hash of the last. */
  bytes: number
  head: string
}

interface OpenCalls extends EarlierCalls {
  /** Calls that were answered or never got there; what became of the others nobody knows. */
  back: number
}

export interface ReadOptions {
  /** Sees where the line of each settled item begins. */
  onSettled?: (ordinal: number, offset: number) => void
  /** Called when the input has changed: ordinals seen so far are void. */
  onInputChanged?: () => void
  /** Reads no further: the checkpoint as it was when it was so long. */
  bytesMax?: number
}

const sentStart = Buffer.from('{"sent":')
const lookStart = Buffer.from('{"look":')

/**
 * Reads a checkpoint once. Settled items and notes of sent calls, which are many, are told by their first bytes and
 * not parsed. A torn last line is not counted. Throws a UsageError that names a line which is not ours.
 */
export function readCheckpoint(path: string, options: ReadOptions = {}): CheckpointState {
  const state: CheckpointState = {
    settled: new Bitset(),
    tally: new Tally(),
    open: new Map(),
    batches: new Map(),
    events: [],
    requests: { sent: 0, rateLimited: 0 },
    bytes: 0,
    head: firstHead,
  }
  if (!existsSync(path)) return state
  const counts = new Map<string, number>()
  const outcomeAt = outcomeReader()
  let lines = 0
  let lastOffset = 0
  state.bytes = scanLines(
    path,
    (buffer, start, end, offset) => {
      lines += 1
      lastOffset = offset
      if (startsWith(buffer, start, settledStart)) {
        const ordinal = numberAt(buffer, start + settledStart.length)
        const outcome = outcomeAt(buffer, start, end)
        const times = counts.get(outcome) ?? 0
        if (ordinal > ordinalMax || (times === 0 && !isOutcome(outcome))) throw notOurs(path, `line ${lines}`)
        state.open.delete(ordinal)
        if (!state.settled.add(ordinal)) return
        counts.set(outcome, times + 1)
        options.onSettled?.(ordinal, offset)
      } else if (startsWith(buffer, start, sentStart)) {
        const ordinal = numberAt(buffer, start + sentStart.length)
        if (ordinal > ordinalMax) throw notOurs(path, `line ${lines}`)
        const { calls, back } = state.open.get(ordinal) ?? { calls: 0, back: 0 }
        state.requests.sent += 1
        state.open.set(ordinal, { calls: calls + 1, back, isAnswerLost: true })
      } else if (startsWith(buffer, start, lookStart)) {
        const ordinal = numberAt(buffer, start + lookStart.length)
        if (ordinal > ordinalMax) throw notOurs(path, `line ${lines}`)
        const { calls, back, isAnswerLost } = state.open.get(ordinal) ?? {
          calls: 0,
          back: 0,
          isAnswerLost: false,
        }
        state.requests.sent += 1
        state.open.set(ordinal, { calls: calls + 1, back: back + 1, isAnswerLost })
      } else {
        const fields = fieldsOfLine(buffer.toString('utf8', start, end))
        if (fields === null) throw notOurs(path, `line ${lines}`)
        readRareLine(fields as unknown as RareLine, state, options, counts)
      }
    },
    options.bytesMax,
  )
  dropSettled(state.batches, state.settled)
  for (const [outcome, times] of counts) {
    const [status, reason] = outcome.split('","reason":"')
    state.tally.add(status as Status, reason ?? '', times)
  }
  if (lines > 0) state.head = hash('sha256', readSpan(path, lastOffset, state.bytes))
  return state
}

/** A line that is parsed. */
export type RareLine =
  | CheckpointEvent
  | BatchNote
  | { back: number; reason: string; read?: true }
  | { carried: number; calls: number; lost: boolean }

function readRareLine(
  line: RareLine,
  state: CheckpointState,
  options: ReadOptions,
  counts: Map<string, number>,
): void {
  if ('batch' in line) {
    readBatchNote(line, state)
    return
  }
  if ('back' in line) {
    const open = state.open.get(line.back)
    if (open && !line.read) {
      // An answer that belongs to no call must not hide that a later one is lost.
      open.back = Math.min(open.calls, open.back + 1)
      open.isAnswerLost = open.back < open.calls
    }
    if (line.reason === 'rate_limited') state.requests.rateLimited += 1
    return
  }
  if ('carried' in line) {
    const { calls, lost } = line
    state.open.set(line.carried, { calls, back: lost ? calls - 1 : calls, isAnswerLost: lost })
    return
  }
  state.events.push(line)
  if (line.event !== 'input-changed') return
  state.settled.clear()
  state.open.clear()
  state.batches.clear()
  counts.clear()
  options.onInputChanged?.()
}

function isOutcome(outcome: string): boolean {
  return statuses.some((status) => outcome.startsWith(`${status}","reason":"`))
}
