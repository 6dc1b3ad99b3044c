import { closeSync, readSync } from 'node:fs'
import type { SettledItem } from '../outcome.js'
import { openRegular } from '../regular-file.js'
import { UsageError } from '../usage-error.js'
import { settledItemOf } from './checkpoint.js'
import { LineOffsets } from './line-offsets.js'
import { readCheckpoint } from './read.js'

const batchSize = 512
const blockBytes = 256 * 1024
const blocksKept = 16

/**
 * The settled items of a checkpoint in the order of the input. With `bytesMax`, of the checkpoint as it was when it was
 * so long.
 */
export async function* settledItems(
  path: string,
  bytesMax = Number.POSITIVE_INFINITY,
): AsyncGenerator<SettledItem[]> {
  const offsets = new LineOffsets()
  readCheckpoint(path, {
    bytesMax,
    onSettled: (ordinal, offset) => offsets.set(ordinal, offset),
    onInputChanged: () => offsets.clear(),
  })
  yield* itemsAt(path, offsets)
}

/** The settled items whose lines begin there. Lines are looked up one by one, and they lie nearly in order. */
export async function* itemsAt(path: string, offsets: LineOffsets): AsyncGenerator<SettledItem[]> {
  if (offsets.length === 0) return
  const file = openRegular(path)
  try {
    const lineAt = lineReader(file)
    let batch: SettledItem[] = []
    for (const offset of offsets.inOrder()) {
      const item = settledItemOf(lineAt(offset))
      if (item === null)
        throw new UsageError(`${path}, byte ${offset}: not a line of a checkpoint. Was the file edited?`)
      batch.push(item)
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
  const blocks = new Map<number, Buffer>()
  const blockAt = (index: number): Buffer => {
    let block = blocks.get(index)
    if (block === undefined) {
      block = Buffer.allocUnsafe(blockBytes)
      block = block.subarray(0, readSync(file, block, 0, blockBytes, index * blockBytes))
      if (blocks.size >= blocksKept) blocks.delete(blocks.keys().next().value!)
      blocks.set(index, block)
    }
    return block
  }
  return (offset) => {
    let index = Math.floor(offset / blockBytes)
    let start = offset % blockBytes
    const parts: Buffer[] = []
    for (;;) {
      const block = blockAt(index)
      const end = block.indexOf(10, start)
      parts.push(block.subarray(start, end === -1 ? block.length : end))
      if (end !== -1 || block.length < blockBytes) break
      index += 1
      start = 0
    }
    return parts.length === 1 ? parts[0]!.toString() : Buffer.concat(parts).toString()
  }
}
