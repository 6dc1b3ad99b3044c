import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { filtersFrom } from '../../src/filters/filter-flags.js'
import type { SyncState } from '../../src/filters/settled-before.js'
import { defineJob, type Filter, type Job } from '../../src/job.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { countInput } from '../../src/runs/count.js'
import { type FilterSettings, openFilters } from '../../src/runs/filters.js'
import { openInput } from '../../src/sources/input.js'
import type { InputFile } from '../../src/sources/source.js'
import { plainJudge, plainRecords, plainRules, textOf } from '../plain-records.js'

const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-plan-test-'))
afterAll(() => rmSync(directory, { recursive: true, force: true }))

function written(name: string, text: string): InputFile {
  const path = join(directory, name)
  writeFileSync(path, text)
  return { name, path }
}

const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
const nowMs = Date.parse('2026-11-22T12:00:00Z')
const close = defineJob({ describe: 'Ends stale ones.', operation: endConversation, filters: filtersFrom })

async function filtersOf(asked: Partial<FilterSettings>): Promise<Filter[]> {
  const opened = await openFilters({
    job: close,
    jobFlags: {},
    hold: [],
    holdSettings: { holdColumn: null, acceptsOddHold: false },
    isRetry: false,
    memory: null,
    nowMs,
    ...asked,
  })
  return opened.filters
}

describe('a count', () => {
  test('says what would become of every row, the first five to call, and what was read', async () => {
    const ids = ['a1', 'a2', 'a2', '', 'a/b', 'a3', 'a4', 'a5', 'a6', 'a1', 'a7']
    const one = written('one.csv', `_id,language\n${ids.map((id) => `${id},fr\n`).join('')}`)
    const two = written(
      'two.jsonl',
      '{"_id":"a1","language":"fr"}\n{"_id":"b1","language":"en"}\n{"_id":"b2"}\n',
    )
    const told: string[] = []
    const filters = await filtersOf({
      jobFlags: { language: 'fr' },
      hold: [written('hold.csv', '_id\na3\n')],
    })
    const count = await countInput(await openInput([one, two], settings), filters, (id) => told.push(id))
    expect(count).toMatchObject({
      read: 14,
      calls: 6,
      first: ['a1', 'a2', 'a4', 'a5', 'a6'].map((id, index) => ({
        id,
        source: 'one.csv',
        line: [2, 3, 8, 9, 10][index],
      })),
      problems: {
        empty_id: { message: '', source: 'one.csv', line: 5 },
        bad_id: { message: 'contains a slash', source: 'one.csv', line: 6 },
        bad_row: { message: 'has no language, which --language needs', source: 'two.jsonl', line: 3 },
      },
    })
    expect(count.tally.reasons()).toEqual({
      bad_id: 1,
      bad_row: 1,
      duplicate: 3,
      empty_id: 1,
      on_hold: 1,
      other_language: 1,
    })
    expect(told).toEqual(['a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7', 'b1'])
    expect(count.input).toEqual(
      [one, two].map(({ name, path }) => {
        const text =
          name === 'one.csv'
            ? `_id,language\n${ids.map((id) => `${id},fr\n`).join('')}`
            : '{"_id":"a1","language":"fr"}\n{"_id":"b1","language":"en"}\n{"_id":"b2"}\n'
        return { name, path, sha256: createHash('sha256').update(text).digest('hex'), bytes: text.length }
      }),
    )
  })

  test('of rows that all lack the date says so once, with the first of them', async () => {
    const table = written(
      'no-dates.csv',
      `conversation_id,subject\n${Array.from({ length: 118 }, (_, index) => `c${index},Refund\n`).join('')}`,
    )
    const { calls, tally, problems } = await countInput(
      await openInput([table], settings),
      await filtersOf({ jobFlags: { idle: '14d' } }),
    )
    expect(calls).toBe(0)
    expect(tally.reasons()).toEqual({ bad_row: 118 })
    expect(problems).toEqual({
      bad_row: {
        message: 'has no date_updated or updated_at, which --idle needs; --date-column NAME names another',
        source: 'no-dates.csv',
        line: 2,
      },
    })
  })

  test('of what a filter leaves out has no problems', async () => {
    const table = written('english.csv', '_id,language\nc1,en\nc1,en\n')
    expect(
      (
        await countInput(
          await openInput([table], settings),
          await filtersOf({ jobFlags: { language: 'fr' } }),
        )
      ).problems,
    ).toEqual({})
  })
})

describe('filters go in this order', () => {
  const memory = { isSettled: (id: string) => id.startsWith('settled') } as Partial<SyncState> as SyncState
  const hold = () => [written('held.csv', '_id\nsettled-and-held\nheld\n')]
  const job: Job = { ...close, remembers: true }
  const asked = { job, memory, jobFlags: { language: 'fr' } }

  test('hold lists, what was settled before, the job’s own', async () => {
    const names = (await filtersOf({ ...asked, hold: hold() })).map(({ name }) => name)
    expect(names).toEqual(['hold', 'memory', 'language'])
    const table = written(
      'all.csv',
      '_id,language\nsettled-and-held,en\nheld,en\nsettled,en\nsettled-too,\nopen,en\nopen-too,\nfree,fr\n',
    )
    const { tally, first } = await countInput(
      await openInput([table], settings),
      await filtersOf({ ...asked, hold: hold() }),
    )
    expect(tally.reasons()).toEqual({ on_hold: 2, settled_before: 2, other_language: 1, bad_row: 1 })
    expect(first).toEqual([{ id: 'free', source: 'all.csv', line: 8 }])
  })

  test('of a retry, without the job’s own: the record that they look at is gone', async () => {
    expect((await filtersOf({ ...asked, hold: hold(), isRetry: true })).map(({ name }) => name)).toEqual([
      'hold',
      'memory',
    ])
  })
})

test('a count agrees with a plain loop, of any records under any flags, as Data Export and as CSV', async () => {
  let called = 0
  let notCalled = 0
  await fc.assert(
    fc.asyncProperty(
      plainRecords(),
      plainRules,
      fc.constantFrom('json', 'csv'),
      async (records, rules, kind) => {
        const expected = plainJudge(records, rules)
        const input = written(`random.${kind}`, textOf(records, kind as 'json' | 'csv'))
        const hold =
          rules.hold.length === 0 ? [] : [written('random-hold.csv', `_id\n${rules.hold.join('\n')}\n`)]
        const count = await countInput(
          await openInput([input], settings),
          await filtersOf({ jobFlags: rules.flags, hold }),
        )
        const { invalid, duplicate, filtered, read } = count.tally.totals(count.read)
        expect({ reasons: count.tally.reasons(), first: count.first.map(({ id }) => id) }).toEqual({
          reasons: expected.reasons,
          first: expected.calls.slice(0, 5),
        })
        expect(count.calls).toBe(expected.calls.length)
        expect(read).toBe(records.length)
        expect(read).toBe(count.calls + invalid + duplicate + filtered)
        called += count.calls
        notCalled += read - count.calls
      },
    ),
    { numRuns: 60 },
  )
  expect(Math.min(called, notCalled)).toBeGreaterThan(100)
})
