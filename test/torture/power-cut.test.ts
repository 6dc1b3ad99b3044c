import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { firstHead } from '../../src/checkpoint/log.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import type { SettledItem } from '../../src/item.js'
import { IdDifference, IdHashWriter } from '../../src/sources/id-hashes.js'
import { makeDirectory, syncDirectory } from '../../src/system/files.js'
import { Disk } from './disk.js'

let root: string
let disk: Disk

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'ada-bulk-power-'))
  disk = new Disk(root)
})
afterEach(() => {
  disk.close()
  rmSync(root, { recursive: true, force: true })
})

const at = '2026-11-22T15:04:05.678Z'
const settledOf = (ordinal: number): SettledItem => ({
  ordinal,
  id: `66f2a91c4be07d3f5c1e${String(ordinal).padStart(4, '0')}`,
  status: 'succeeded',
  reason: 'ended',
  httpStatus: 200,
  attempts: 1,
  finishedAt: at,
  durationMs: 12,
  message: '',
  source: 'stale.csv',
  line: ordinal + 2,
})

/** What the disk holds after a power cut of which nothing survives but what is certain. */
function cutPower(): string {
  const after = mkdtempSync(join(tmpdir(), 'ada-bulk-power-'))
  onTestFinished(() => rmSync(after, { recursive: true, force: true }))
  disk.cut(after, () => 0)
  return after
}

const beginning = { bytes: 0, head: firstHead }

test('an item that counts as settled is on disk, however many are settled at once', async () => {
  const path = join(root, 'checkpoint.jsonl')
  const checkpoint = new Checkpoint(path, beginning)
  let counted = 0
  await Promise.all(
    Array.from({ length: 40 }, async (_, ordinal) => {
      for (let step = 0; step < ordinal % 7; step++) await new Promise((resolve) => setImmediate(resolve))
      await checkpoint.record({ event: 'settled', settled: settledOf(ordinal) })
      counted += 1
      expect(disk.certain(path)?.toString() ?? '').toContain(`{"n":${ordinal},`)
    }),
  )
  expect(counted).toBe(40)
  expect(readCheckpoint(join(cutPower(), 'checkpoint.jsonl')).settled.size).toBe(40)
  await checkpoint.close()
})

test('a checkpoint that was begun is still there by its name', async () => {
  const checkpoint = new Checkpoint(join(root, 'checkpoint.jsonl'), beginning)
  await checkpoint.record({ event: 'settled', settled: settledOf(0) })
  expect(readdirSync(cutPower())).toEqual(['checkpoint.jsonl'])
  await checkpoint.close()
})

test('a directory that was made is still there', () => {
  makeDirectory(join(root, 'runs', 'tonight'))
  expect(existsSync(join(cutPower(), 'runs', 'tonight'))).toBe(true)
})

test('the hashes of the IDs that were read are whole', () => {
  const path = join(root, '.input-ids')
  const ids = new IdHashWriter(path)
  ids.add('66f2a91c4be07d3f5c1e0001')
  ids.close()
  // Its name comes with that of run.json.
  syncDirectory(root)
  expect(statSync(join(cutPower(), '.input-ids')).size).toBe(8)
})

test('hashes of IDs that are cut off are no reason to fail', () => {
  const path = join(root, '.input-ids')
  const ids = new IdHashWriter(path)
  for (const id of ['66f2a91c4be07d3f5c1e0001', '66f2a91c4be07d3f5c1e0002']) ids.add(id)
  ids.close()
  truncateSync(path, 13)
  const difference = new IdDifference(path)
  difference.add('66f2a91c4be07d3f5c1e0001')
  expect(difference).toMatchObject({ added: 0, gone: 0 })
})
