import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import type { Outcome } from '../../src/item.js'
import { endUsersBehind } from '../../src/runs/follow-up.js'
import { openInput } from '../../src/sources/input.js'

/** Conversations as `id, end user, status, reason`, as a sweep has left them. */
async function behind(...conversations: [string, string | null, Outcome['status'], string][]) {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-behind-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const records = conversations.map(([_id, end_user_id]) => JSON.stringify({ _id, end_user_id }))
  const path = join(directory, 'export.jsonl')
  writeFileSync(path, `${records.join('\n')}\n`)
  const log = join(directory, 'checkpoint.jsonl')
  const checkpoint = new Checkpoint(log, readCheckpoint(log))
  for (const [ordinal, [id, , status, reason]] of conversations.entries()) {
    checkpoint.add({
      event: 'settled',
      settled: {
        ordinal,
        id,
        status,
        reason,
        httpStatus: null,
        message: '',
        attempts: 1,
        finishedAt: '2026-11-22T09:00:00.000Z',
        durationMs: 0,
        source: 'export.jsonl',
        line: ordinal + 1,
      },
    })
  }
  await checkpoint.close()
  const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
  return endUsersBehind(log, await openInput([{ name: 'export.jsonl', path }], settings))
}

test('an end user whose conversations are all ended may be erased', async () => {
  expect(
    await behind(
      ['c1', 'jane', 'succeeded', 'ended'],
      ['c2', 'john', 'succeeded', 'already_ended'],
      ['c3', 'jane', 'succeeded', 'ended_on_retry'],
      ['c1', 'jane', 'duplicate', 'duplicate'],
    ),
  ).toEqual([
    { id: 'jane', leave: '', conversations: ['c1', 'c3'] },
    { id: 'john', leave: '', conversations: ['c2'] },
  ])
})

test.each([
  ['is on hold', 'filtered', 'on_hold', 'on_hold'],
  ['is younger', 'filtered', 'created_too_late', 'other_conversations'],
  ['could not be ended', 'failed', 'server_error', 'conversation_not_ended'],
  ['is in doubt', 'unknown', 'timeout', 'conversation_not_ended'],
  ['has no date', 'invalid', 'bad_row', 'conversation_not_ended'],
] as const)(
  'an end user with another conversation that %s is left, wherever it stands',
  async (_, status, reason, leave) => {
    const ended = ['c1', 'jane', 'succeeded', 'ended'] as const
    const other = ['c2', 'jane', status, reason] as const
    expect(await behind([...ended], [...other])).toEqual([{ id: 'jane', leave, conversations: ['c1'] }])
    expect(await behind([...other], [...ended])).toEqual([{ id: 'jane', leave, conversations: ['c1'] }])
  },
)

test('a hold is the reason that is told before others', async () => {
  const [jane] = await behind(
    ['c1', 'jane', 'succeeded', 'ended'],
    ['c2', 'jane', 'filtered', 'on_hold'],
    ['c3', 'jane', 'filtered', 'created_too_late'],
  )
  expect(jane?.leave).toBe('on_hold')
})

test('whoever has no conversation that was ended is not behind the sweep', async () => {
  expect(await behind(['c1', 'jane', 'filtered', 'created_too_late'])).toEqual([])
})

test('a conversation that names nobody is told, so that a person can look', async () => {
  expect(await behind(['c1', null, 'succeeded', 'ended'], ['c2', null, 'failed', 'server_error'])).toEqual([
    { id: '', leave: '', conversations: ['c1'] },
  ])
})
