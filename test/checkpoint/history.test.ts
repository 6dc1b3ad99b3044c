import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { readRecord } from '../../src/checkpoint/items.js'
import { firstHead } from '../../src/checkpoint/log.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import { succeeded } from '../reports/report-contract.js'
import { runFile } from '../reports/reported.js'
import { returned, sent } from './made-events.js'

const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-history-'))
afterAll(() => rmSync(directory, { recursive: true }))

let path: string
let made = 0
beforeEach(() => {
  path = join(directory, `checkpoint-${made++}.jsonl`)
})

/** What a reader of the history is told, one line each. */
function told(): { lines: string[]; head: string; lastMs: number } {
  const lines: string[] = []
  const { head, lastMs } = readRecord(path, {
    onEvent: ({ event }) => lines.push(event),
    onCall: (atMs) => lines.push(`call ${new Date(atMs).toISOString()}`),
    onAnswer: (ms) => lines.push(`answer ${ms}`),
    onBack: (reason) => lines.push(`back ${reason}`),
    onSettled: (atMs) => lines.push(`settled ${new Date(atMs).toISOString()}`),
  })
  return { lines, head, lastMs }
}

const at = (second: number) => `2026-11-22T09:00:0${second}.250Z`
const item = { ordinal: 0, id: '"at":"1999', source: 'stale.csv', line: 2, record: () => ({}) }
const start = { event: 'started', by: 'kim', host: 'ops', pid: 1, version: '0.1.0', confirmed: 1 } as const

test('a history is told in the order in which it happened', async () => {
  const checkpoint = new Checkpoint(path, { bytes: 0, head: firstHead })
  await checkpoint.record({ ...start, at: at(0), settings: runFile.settings })
  const failed = { status: 'failed', reason: 'server_error', httpStatus: 500, message: '' } as const
  checkpoint.note(sent(item, at(1), true))
  checkpoint.note(returned(item, at(2), failed, true))
  checkpoint.note(sent(item, at(3), false))
  checkpoint.add({
    event: 'settled',
    settled: { ...succeeded, message: '"at":"1999-01-01T00:00:00.000Z', finishedAt: at(5) },
  })
  checkpoint.add({ event: 'settled', settled: { ...succeeded, ordinal: 12, attempts: 0, finishedAt: at(6) } })
  await checkpoint.close()
  const { lines, head, lastMs } = told()
  expect(lines).toEqual([
    'started',
    `call ${at(1)}`,
    'answer 1000',
    'back server_error',
    `call ${at(3)}`,
    'answer 2000',
    `settled ${at(5)}`,
    `settled ${at(6)}`,
  ])
  expect(head).toBe(readCheckpoint(path).head)
  expect(new Date(lastMs).toISOString()).toBe(at(6))
})

test('a call that was in flight when the process died has no answer', async () => {
  const checkpoint = new Checkpoint(path, { bytes: 0, head: firstHead })
  checkpoint.note(sent(item, at(1), false))
  await checkpoint.record({ ...start, event: 'resumed', at: at(2), settings: runFile.settings })
  checkpoint.add({ event: 'settled', settled: { ...succeeded, finishedAt: at(3) } })
  await checkpoint.close()
  expect(told().lines).toEqual([`call ${at(1)}`, 'back no_answer', 'resumed', `settled ${at(3)}`])
})

test('a call that was made again without an answer to the one before came to nothing', async () => {
  const checkpoint = new Checkpoint(path, { bytes: 0, head: firstHead })
  checkpoint.note(sent(item, at(1), false))
  checkpoint.note(sent(item, at(3), false))
  checkpoint.add({ event: 'settled', settled: { ...succeeded, finishedAt: at(4) } })
  await checkpoint.close()
  expect(told().lines).toEqual([
    `call ${at(1)}`,
    'back no_answer',
    `call ${at(3)}`,
    'answer 1000',
    `settled ${at(4)}`,
  ])
})

test('nothing is told of nothing, nor of a torn last line', () => {
  expect(told()).toEqual({ lines: [], head: firstHead, lastMs: Number.NEGATIVE_INFINITY })
  writeFileSync(path, '{"sent":0,"id":"66f2a91c')
  expect(told().lines).toEqual([])
})
