import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { type RunDirectory, runDirectory } from '../../src/checkpoint/directory.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import type { Item } from '../../src/item.js'
import { acceptChangedInput } from '../../src/runs/changed-input.js'
import { countInput } from '../../src/runs/count.js'
import { openInput } from '../../src/sources/input.js'
import { returned, sent } from '../checkpoint/made-events.js'

let directory: RunDirectory
let inputPath: string
beforeEach(() => {
  directory = runDirectory(mkdtempSync(join(tmpdir(), 'ada-bulk-changed-')))
  inputPath = join(directory.path, 'conversations.csv')
})
afterEach(() => rmSync(directory.path, { recursive: true }))

const at = '2026-11-22T15:04:05.678Z'
const itemOf = (ordinal: number, id: string): Item => ({
  ordinal,
  id,
  source: 'conversations.csv',
  line: ordinal + 2,
  record: () => ({}),
})
const serverError = { status: 'failed', reason: 'server_error', httpStatus: 503, message: '' } as const

async function write(act: (checkpoint: Checkpoint) => void): Promise<void> {
  const checkpoint = new Checkpoint(directory.checkpoint, readCheckpoint(directory.checkpoint))
  act(checkpoint)
  await checkpoint.close()
}

/** The input is now these IDs, and the person agrees. */
async function accept(...ids: string[]): Promise<void> {
  writeFileSync(inputPath, ['conversation_id', ...ids, ''].join('\n'))
  const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
  const input = await openInput([{ name: 'conversations.csv', path: inputPath }], settings)
  await acceptChangedInput(directory, input, await countInput(input, []), [])
}

/** What is open, by ordinal in the input as it is now. */
function open(): Record<number, { calls: number; isAnswerLost: boolean }> {
  return Object.fromEntries(
    [...readCheckpoint(directory.checkpoint).open].map(([ordinal, { calls, isAnswerLost }]) => [
      ordinal,
      { calls, isAnswerLost },
    ]),
  )
}

describe('when the input has changed, a call that settled nothing', () => {
  test('is known under the new place of its item', async () => {
    await write((checkpoint) => {
      checkpoint.note(sent(itemOf(0, 'a'), at, false))
      checkpoint.note(sent(itemOf(1, 'b'), at, false))
      checkpoint.note(returned(itemOf(1, 'b'), at, serverError, false))
    })
    await accept('new', 'b', 'a')
    expect(open()).toEqual({ 1: { calls: 1, isAnswerLost: false }, 2: { calls: 1, isAnswerLost: true } })
  })

  test('is still known when the input changes once more', async () => {
    await write((checkpoint) => checkpoint.note(sent(itemOf(0, 'a'), at, false)))
    await accept('new', 'a')
    await accept('newer', 'new', 'a')
    expect(open()).toEqual({ 2: { calls: 1, isAnswerLost: true } })
    await write((checkpoint) => checkpoint.note(sent(itemOf(2, 'a'), at, false)))
    await accept('a')
    expect(open()).toEqual({ 0: { calls: 2, isAnswerLost: true } })
  })

  test('is not taken for one of the item that had its place before the last change', async () => {
    await write((checkpoint) => checkpoint.note(sent(itemOf(0, 'a'), at, false)))
    await accept('b')
    await write((checkpoint) => checkpoint.note(sent(itemOf(0, 'b'), at, false)))
    await accept('a', 'b')
    expect(open()).toEqual({ 1: { calls: 1, isAnswerLost: true } })
  })

  test('of which nothing changed is known too', async () => {
    await write((checkpoint) => checkpoint.note(sent(itemOf(0, 'a'), at, true)))
    await accept('new', 'a')
    expect(open()).toEqual({ 1: { calls: 1, isAnswerLost: false } })
  })
})
