import { describe, expect, test } from 'vitest'
import { notOnHold } from '../../src/filters/hold.js'
import type { Filter } from '../../src/job.js'
import { type Input, type InputItem, readItems } from '../../src/sources/items.js'
import type { InputFile, Source, SourceOptions, SourceRow } from '../../src/sources/source.js'

type Row = Partial<SourceRow> & { id: string }

/** A source that gives the rows of each file, by its path, in the batches that the test says. */
function sourceOf(files: Record<string, readonly (readonly Row[])[]>, asked: SourceOptions[] = []): Source {
  return {
    format: 'table',
    recognises: () => true,
    async *rows({ path }: InputFile, options) {
      asked.push(options)
      options.onBytes?.(Buffer.from(path))
      for (const batch of files[path]!)
        yield batch.map((row, index) => ({ line: index + 2, record: () => ({ row: row.id }), ...row }))
    },
  }
}

const inputOf = (files: Input['files']): Input => ({ files, idColumn: null, acceptTruncated: false, ids: {} })

async function judged(rows: readonly Row[], filters: readonly Filter[] = []): Promise<InputItem[]> {
  const source = sourceOf({ '/in/conversations.csv': [rows] })
  return flat(
    readItems(inputOf([{ name: 'conversations.csv', path: '/in/conversations.csv', source }]), { filters }),
  )
}

async function flat(batches: AsyncIterable<readonly InputItem[]>): Promise<InputItem[]> {
  const all: InputItem[] = []
  for await (const batch of batches) all.push(...batch)
  return all
}

const wordOf = ({ outcome }: InputItem) => (outcome === null ? 'call' : `${outcome.status} ${outcome.reason}`)

describe('items', () => {
  test('are numbered over all files and batches, and keep where they stood', async () => {
    const source = sourceOf({
      '/in/1.csv': [[{ id: 'a' }, { id: 'b', line: 7 }], [], [{ id: 'c' }]],
      '/in/2.csv': [],
      '/in/3.csv': [[{ id: '' }, { id: 'd' }]],
    })
    const files = [1, 2, 3].map((number) => ({ name: `${number}.csv`, path: `/in/${number}.csv`, source }))
    const items = (await flat(readItems(inputOf(files)))).map(({ item }) => item)
    expect(items.map(({ ordinal, id, source, line }) => [ordinal, id, source, line])).toEqual([
      [0, 'a', '1.csv', 2],
      [1, 'b', '1.csv', 7],
      [2, 'c', '1.csv', 2],
      [3, '', '3.csv', 2],
      [4, 'd', '3.csv', 3],
    ])
    expect(items[4]!.record()).toEqual({ row: 'd' })
  })

  test('that are settled are left out, unless their IDs tell others that they are duplicates', async () => {
    const source = sourceOf({ '/in/1.csv': [[{ id: 'a' }, { id: 'b' }, { id: 'a' }]] })
    const input = inputOf([{ name: '1.csv', path: '/in/1.csv', source }])
    const isSettled = (ordinal: number) => ordinal === 0
    const unique = await flat(readItems(input, { isSettled, isFreeOfDuplicates: true }))
    expect(unique.map(({ item }) => item.ordinal)).toEqual([1, 2])
    expect((await flat(readItems(input, { isSettled }))).map(wordOf)).toEqual([
      'call',
      'call',
      'duplicate duplicate',
    ])
  })

  test('know an ID again from another file', async () => {
    const source = sourceOf({ '/in/1.csv': [[{ id: 'a' }]], '/in/2.csv': [[{ id: 'a' }]] })
    const files = [1, 2].map((number) => ({ name: `${number}.csv`, path: `/in/${number}.csv`, source }))
    expect((await flat(readItems(inputOf(files)))).map(wordOf)).toEqual(['call', 'duplicate duplicate'])
  })

  test('are read with the column that was asked for, and the bytes of each file are told apart', async () => {
    const asked: SourceOptions[] = []
    const source = sourceOf({ '/in/1.csv': [], '/in/2.csv': [] }, asked)
    const files = [1, 2].map((number) => ({ name: `${number}.csv`, path: `/in/${number}.csv`, source }))
    const seen: string[] = []
    const onBytes = (file: number, chunk: Uint8Array) => seen.push(`${file} ${chunk}`)
    await flat(readItems({ ...inputOf(files), idColumn: 'Conversation ID' }, { onBytes }))
    expect(asked.map(({ idColumn }) => idColumn)).toEqual(['Conversation ID', 'Conversation ID'])
    expect(seen).toEqual(['0 /in/1.csv', '1 /in/2.csv'])
  })
})

describe('a judgement', () => {
  test.each([
    [
      'a row that cannot be used, whatever its ID',
      [{ id: 'a', problem: 'column 2 is missing' }],
      ['invalid bad_row'],
    ],
    ['a row without an ID', [{ id: '' }], ['invalid empty_id']],
    ['an ID that cannot be used', [{ id: 'a/b' }], ['invalid bad_id']],
    ['a row that can', [{ id: 'a' }], ['call']],
    [
      'what came before',
      [{ id: 'a' }, { id: 'a' }, { id: 'a' }],
      ['call', 'duplicate duplicate', 'duplicate duplicate'],
    ],
    ['letters of another case', [{ id: 'a' }, { id: 'A' }], ['call', 'duplicate duplicate']],
    [
      'an ID after a row that could not be used',
      [{ id: 'a', problem: 'no' }, { id: 'a' }],
      ['invalid bad_row', 'call'],
    ],
    [
      'empty IDs, which are no duplicates',
      [{ id: '' }, { id: '' }],
      ['invalid empty_id', 'invalid empty_id'],
    ],
    ['bad IDs, which are none either', [{ id: '..' }, { id: '..' }], ['invalid bad_id', 'invalid bad_id']],
    ['what is on hold', [{ id: 'held' }], ['filtered on_hold']],
    [
      'what is on hold and came before',
      [{ id: 'held' }, { id: 'held' }],
      ['filtered on_hold', 'duplicate duplicate'],
    ],
    ['a row that is on hold and cannot be used', [{ id: 'held', problem: 'no' }], ['invalid bad_row']],
  ])('is made of %s', async (_, rows: Row[], words) => {
    expect((await judged(rows, [notOnHold(new Set(['held']))])).map(wordOf)).toEqual(words)
  })

  test('is that of the first filter that refuses, which the hold list is', async () => {
    const asked: string[] = []
    const stale: Filter = {
      name: 'stale',
      judge({ id }) {
        asked.push(id)
        return id.startsWith('new')
          ? { status: 'filtered', reason: 'not_stale', message: 'updated today' }
          : null
      },
    }
    const items = await judged(
      [{ id: 'new-held' }, { id: 'new' }, { id: 'old' }],
      [notOnHold(new Set(['new-held'])), stale],
    )
    expect(items.map(wordOf)).toEqual(['filtered on_hold', 'filtered not_stale', 'call'])
    expect(items[1]!.outcome).toEqual({
      status: 'filtered',
      reason: 'not_stale',
      httpStatus: null,
      message: 'updated today',
    })
    expect(asked).toEqual(['new', 'old'])
  })

  test('of a row that cannot be used says why, cleaned', async () => {
    const [{ outcome } = {} as InputItem] = await judged([
      { id: 'a', problem: 'column 2\n is \u001b[31mmissing' },
    ])
    expect(outcome).toEqual({
      status: 'invalid',
      reason: 'bad_row',
      httpStatus: null,
      message: 'column 2 is missing',
    })
  })
})
