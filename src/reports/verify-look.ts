import { hash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { eventOf, faultOf } from '../checkpoint/codec.js'
import type { LifecycleEvent } from '../checkpoint/events.js'
import { LineOffsets } from '../checkpoint/items.js'
import { scanLines } from '../checkpoint/log.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Totals } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import { IdSet } from '../sources/id-set.js'
import { Chain } from './verify-chain.js'
import { LineRules } from './verify-line-rules.js'

/** What a checkpoint had come to after one of its lines. */
export interface Standing {
  line: number
  /** Length of the checkpoint up to here, this line included. */
  bytes: number
  totals: Totals
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
}

/** What a look at every line of a checkpoint found. */
export interface Look {
  /** After the last line, and its hash. */
  end: Standing
  head: string
  /** After each line that ends or stops the run, in their order. */
  ends: Standing[]
  /** After the lines that have a wanted hash. */
  marks: Map<string, Standing>
  events: LifecycleEvent[]
  /** Of the settled items. */
  offsets: LineOffsets
  /** What stands behind the last line end. */
  tornBytes: number
  chainFault: string | null
  /** The first line that no run would have written there. */
  lineFault: string | null
  linesTooEarly: number
}

/** Looks at every line once; `wanted` are hashes of lines to be noted. Needs no memory of the lines. */
export function lookAt(path: string, run: RunFile, wanted: readonly string[]): Look {
  const { read } = run.plan
  const rules = new LineRules({ read, startedAt: run.startedAt }, (item) => takenOver().has(identity(item)))
  const chain = new Chain()
  const ends: Standing[] = []
  const marks = new Map<string, Standing>()
  const faults: string[] = []
  const offsets = new LineOffsets()
  let epochs = [0]
  let bytes = 0
  let before: IdSet | null = null
  const standing = (): Standing => ({
    line: chain.lines,
    bytes,
    totals: rules.tally.totals(rules.read),
    reasons: rules.tally.reasons(),
    requests: { ...rules.requests },
  })
  /** What was settled by calling before the input changed last; read again only when it has. */
  const takenOver = () => {
    before ??= settledBetween(path, epochs.at(-2)!, epochs.at(-1)!)
    return before
  }
  // Of a run at work only what is there now: all checks speak of the same lines.
  const size = existsSync(path) ? statSync(path).size : 0
  const onLine = (buffer: Buffer, start: number, end: number, offset: number) => {
    const text = buffer.toString('utf8', start, end)
    const hashOfLine = chain.add(buffer.subarray(start, end + 1), text)
    bytes = offset + end + 1 - start
    const event = eventOf(text)
    if (event?.event === 'input-changed') {
      epochs = [...epochs, offset]
      before = null
      offsets.clear()
    }
    const fault = event === null ? faultOf(text) : rules.add(event)
    if (fault !== null && faults.push(`line ${chain.lines} ${fault}`) > 1) faults.length = 1
    if (fault === null && event?.event === 'settled') offsets.set(event.settled.ordinal, offset)
    if (event?.event === 'stopped' || event?.event === 'finished') ends.push(standing())
    if (wanted.includes(hashOfLine)) marks.set(hashOfLine, standing())
  }
  // Of what is no file the size says nothing; this refuses it.
  if (existsSync(path)) scanLines(path, onLine, size)
  return {
    end: standing(),
    head: chain.head,
    ends,
    marks,
    events: rules.events,
    offsets,
    tornBytes: size - bytes,
    chainFault: chain.fault(),
    lineFault: faults[0] ?? null,
    linesTooEarly: rules.linesTooEarly,
  }
}

function settledBetween(path: string, from: number, to: number): IdSet {
  const settled = new IdSet()
  scanLines(
    path,
    (buffer, start, end, offset) => {
      const event = offset < from ? null : eventOf(buffer.toString('utf8', start, end))
      if (event?.event === 'settled') settled.add(identity(event.settled))
    },
    to,
  )
  return settled
}

/** All of a settled item but its place in the input. */
function identity(item: SettledItem): string {
  const { id, status, reason, httpStatus, attempts, finishedAt, durationMs, message } = item
  const all = [id, status, reason, httpStatus, attempts, finishedAt, durationMs, message]
  return hash('sha1', JSON.stringify(all))
}
