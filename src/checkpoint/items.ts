import { closeSync, readSync } from 'node:fs'
import type { SettledItem } from '../item.js'
import { openRegular } from '../system/files.js'
import { eventOf, notOurs } from './codec.js'
import { type History, HistoryReader } from './history.js'
import { readCheckpoint } from './read.js'

/** Small, so that little of what is made for a batch outlives it. */
const batchSize = 64
const blockBytes = 256 * 1024
const blocksKept = 16
const lineFeed = 10

/** The settled items of a checkpoint in the order of the input; with `bytesMax`, those that it had at that length. */
export async function* settledItems(
  path: string,
  bytesMax = Number.POSITIVE_INFINITY,
): AsyncGenerator<SettledItem[]> {
  yield* readRecord(path, undefined, bytesMax).items
}

export interface RunRecord {
  /** The settled items, in the order of the input. */
  items: AsyncGenerator<SettledItem[]>
  /** The hash of the last line, and when the last thing happened. */
  head: string
  lastMs: number
}

/** Reads a checkpoint once, and plays its history; reading `items` reads it a second time. */
export function readRecord(path: string, see?: History, bytesMax = Number.POSITIVE_INFINITY): RunRecord {
  const offsets = new LineOffsets()
  const history = see && new HistoryReader(see)
  const { head } = readCheckpoint(path, {
    bytesMax,
    onSettled: (ordinal, offset) => offsets.set(ordinal, offset),
    onInputChanged: () => offsets.clear(),
    ...(history && { onLine: history.onLine }),
  })
  return { items: itemsAt(path, offsets), head, lastMs: history?.lastMs ?? Number.NEGATIVE_INFINITY }
}

/** The settled items whose lines begin there. Lines are looked up one by one, and they lie nearly in order. */
export async function* itemsAt(path: string, offsets: LineOffsets): AsyncGenerator<SettledItem[]> {
  if (offsets.length === 0) return
  const file = openRegular(path)
  try {
    const lineAt = lineReader(file)
    let batch: SettledItem[] = []
    for (const offset of offsets.inOrder()) {
      const event = eventOf(lineAt(offset))
      if (event?.event !== 'settled') throw notOurs(path, `byte ${offset}`)
      batch.push(event.settled)
      if (batch.length < batchSize) continue
      yield batch
      batch = []
    }
    yield batch
  } finally {
    closeSync(file)
  }
}

/** Reads single lines through a few blocks that are kept, as neighbours are asked for next. */
function lineReader(file: number): (offset: number) => string {
  const blocks = new Map<number, Block>()
  const blockAt = (index: number): Block => {
    const known = blocks.get(index)
    if (known !== undefined) return known
    const [oldest] = blocks.size < blocksKept ? [] : blocks.entries()
    if (oldest !== undefined) blocks.delete(oldest[0])
    const bytes = oldest?.[1].bytes ?? Buffer.allocUnsafeSlow(blockBytes)
    const block = { bytes, length: readSync(file, bytes, 0, blockBytes, index * blockBytes) }
    blocks.set(index, block)
    return block
  }
  return (offset) => {
    let index = Math.floor(offset / blockBytes)
    let start = offset % blockBytes
    const parts: Buffer[] = []
    for (;;) {
      const { bytes, length } = blockAt(index)
      const end = bytes.indexOf(lineFeed, start)
      const isWhole = end !== -1 && end < length
      if (isWhole && parts.length === 0) return bytes.toString('utf8', start, end)
      // What is kept is written over by the blocks that follow.
      parts.push(Buffer.from(bytes.subarray(start, isWhole ? end : length)))
      if (isWhole || length < blockBytes) return Buffer.concat(parts).toString()
      index += 1
      start = 0
    }
  }
}

/** A part of a file; the last one is not full. */
interface Block {
  bytes: Buffer
  length: number
}

const pieceItems = 1024

/** Where in a checkpoint the line of each settled item begins, by ordinal. Eight bytes an item. */
export class LineOffsets {
  /** Pieces, so that growing never copies, and a made-up ordinal costs little. An offset counts from 1 in them, and 0 is none. */
  readonly #pieces = new Map<number, Float64Array>()
  /** One more than the largest ordinal. */
  length = 0

  set(ordinal: number, offset: number): void {
    const index = Math.floor(ordinal / pieceItems)
    let piece = this.#pieces.get(index)
    if (piece === undefined) {
      piece = new Float64Array(pieceItems)
      this.#pieces.set(index, piece)
    }
    piece[ordinal % pieceItems] = offset + 1
    if (ordinal >= this.length) this.length = ordinal + 1
  }

  clear(): void {
    this.#pieces.clear()
    this.length = 0
  }

  /** In the order of the input. */
  *inOrder(): Generator<number> {
    for (let index = 0; index * pieceItems < this.length; index++) {
      for (const offset of this.#pieces.get(index) ?? []) if (offset > 0) yield offset - 1
    }
  }
}
