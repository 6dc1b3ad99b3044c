import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { settledItems } from '../../src/checkpoint/items.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import type { SettledItem } from '../../src/item.js'
import { anyStep, at, itemOf, type Step, take } from './arbitrary-steps.js'
import { chainedLines, settledIn } from './chain.js'

let directory: string
let path: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-rows-'))
  path = join(directory, 'checkpoint.jsonl')
})
afterAll(() => rmSync(directory, { recursive: true }))
beforeEach(() => rmSync(path, { force: true }))

async function write(steps: Iterable<Step>): Promise<void> {
  const checkpoint = new Checkpoint(path, readCheckpoint(path))
  for (const step of steps) await take(checkpoint, step)
  await checkpoint.close()
}

async function rows(): Promise<SettledItem[]> {
  const all: SettledItem[] = []
  for await (const batch of settledItems(path)) all.push(...batch)
  return all
}

const settled = (ordinal: number, message = ''): Step => ({
  does: 'settle',
  settled: {
    ...itemOf(ordinal),
    status: 'failed',
    reason: 'rejected',
    httpStatus: 400,
    message,
    attempts: 1,
    finishedAt: at,
    durationMs: 128,
  },
})

test('a checkpoint without settled items has no rows', async () => {
  expect(await rows()).toEqual([])
  await write([{ does: 'resume' }, { does: 'sent', ordinal: 3, isRead: false }])
  expect(await rows()).toEqual([])
})

test('rows come in the order of the input, those that are not settled left out', async () => {
  await write([5, 0, 3000, 2, 1024].map((ordinal) => settled(ordinal)))
  expect((await rows()).map(({ ordinal }) => ordinal)).toEqual([0, 2, 5, 1024, 3000])
})

test('of an item that is settled twice the first counts, as it does in the totals', async () => {
  await write([settled(1, 'first'), settled(1, 'second')])
  expect((await rows()).map(({ message }) => message)).toEqual(['first'])
})

test('after the input changed, only what stands behind that counts', async () => {
  await write([settled(0, 'old'), settled(9000, 'old'), { does: 'change' }, settled(3, 'new')])
  expect((await rows()).map(({ ordinal, message }) => [ordinal, message])).toEqual([[3, 'new']])
})

test('rows are found across the borders of blocks, though they lie far apart and out of order', async () => {
  // 6 MiB, more than the blocks that are kept; each second item comes from the other end.
  const count = 6000
  const ordinals = Array.from({ length: count }, (_, index) => (index % 2 === 0 ? index : count - index))
  await write(ordinals.map((ordinal) => settled(ordinal, `${ordinal} `.padEnd(1000, 'ä'))))
  const found = await rows()
  expect(found.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: count }, (_, index) => index))
  for (const { ordinal, message } of found) if (!message.startsWith(`${ordinal} ä`)) expect.fail(message)
})

test('a row longer than several blocks is found, and so are its neighbours', async () => {
  const long = 'x'.repeat(3_000_000)
  await write([settled(0), settled(1, long), settled(2)])
  const found = await rows()
  expect(found.map(({ message }) => message.length)).toEqual([0, long.length, 0])
})

test('lines that end at the border of a block are told from the next', async () => {
  const blockBytes = 256 * 1024
  // All lines but the second are equally long, which is made so that the third begins around the border.
  await write([settled(0), settled(1)])
  const [first, second] = chainedLines(path).map((line) => JSON.stringify(line).length + 1)
  for (const more of [-1, 0, 1]) {
    rmSync(path)
    const fill = 'x'.repeat(blockBytes - first! - second! + more)
    await write([settled(0), settled(1, fill), settled(2, 'after')])
    expect((await rows()).map(({ message }) => message.length)).toEqual([0, fill.length, 5])
  }
})

test('batches are of a size to be written', async () => {
  await write(Array.from({ length: 2000 }, (_, ordinal) => settled(ordinal)))
  const sizes: number[] = []
  for await (const batch of settledItems(path)) sizes.push(batch.length)
  expect(Math.max(...sizes)).toBeLessThanOrEqual(512)
  expect(sizes.reduce((sum, size) => sum + size)).toBe(2000)
})

test('rows are what parsing and sorting every line gives', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(anyStep, { maxLength: 60 }), async (steps) => {
      rmSync(path, { force: true })
      await write(steps)
      const naive = new Map<number, SettledItem>()
      for (const line of chainedLines(path)) {
        if (line.event === 'input-changed') naive.clear()
        const { n } = line as { n?: number }
        if (n !== undefined && !naive.has(n)) naive.set(n, settledIn(JSON.stringify(line))!)
      }
      expect(await rows()).toEqual([...naive.values()].sort((a, b) => a.ordinal - b.ordinal))
    }),
    { numRuns: 60 },
  )
})
