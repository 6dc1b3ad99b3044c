import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { csv } from '../../src/sources/csv.js'
import { type CsvRecord, csvRecords } from '../../src/sources/csv-records.js'
import { UsageError } from '../../src/system/errors.js'
import { type PlainRow, readRows } from './source-contract.js'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ada-bulk-csv-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

const lineEnd = fc.constantFrom('\n', '\r\n', '\r')
const cell = fc.string({
  unit: fc.constantFrom('a', '7', ' ', '"', ',', ';', '\t', '|', '\n', '\r', '\r\n', 'é', '🙂', '\u2028'),
  maxLength: 8,
})
const idCell = fc.stringMatching(/^[\w-]{1,30}$/)
const encoding = fc.constantFrom('utf8', 'utf8 with mark', 'utf16le', 'utf16be')

const table = fc.integer({ min: 0, max: 4 }).chain((others) =>
  fc.record({
    idIndex: fc.integer({ min: 0, max: others }),
    rows: fc.array(
      fc.record({
        id: idCell,
        others: fc.array(cell, { minLength: others, maxLength: others }),
        blanksBefore: fc.array(lineEnd, { maxLength: 2 }),
        end: lineEnd,
        quotesAll: fc.boolean(),
      }),
      { maxLength: 20 },
    ),
    delimiter: fc.constantFrom(',', ';', '\t', '|'),
    headerEnd: lineEnd,
    isLastEnded: fc.boolean(),
    encoding,
    isPacked: fc.boolean(),
  }),
)

type Table = typeof table extends fc.Arbitrary<infer T> ? T : never

test('any table is read back as it was written, with the line of each row', async () => {
  const path = join(directory, 'table.csv')
  await fc.assert(
    fc.asyncProperty(table, async (written) => {
      const { text, rows } = textOf(written)
      const bytes = encoded(text, written.encoding)
      await writeFile(path, written.isPacked ? gzipSync(bytes) : bytes)
      expect(await readRows(csv, path)).toEqual(rows)
    }),
    { numRuns: 200 },
  )
})

test('records and faults are the same however the bytes are cut', async () => {
  const anything = fc.string({
    unit: fc.constantFrom('a', '"', '"', ',', '\n', '\r', ' ', 'é'),
    maxLength: 60,
  })
  await fc.assert(
    fc.asyncProperty(anything, fc.array(fc.nat(70), { maxLength: 10 }), async (text, cuts) => {
      const bytes = Buffer.from(text)
      const places = [
        0,
        ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
        bytes.length,
      ]
      const pieces = places.slice(1).map((place, index) => bytes.subarray(places[index], place))
      expect(await recordsOf(pieces)).toEqual(await recordsOf([bytes]))
    }),
    { numRuns: 400 },
  )
})

test('records are those of csv-parse', async () => {
  const cell = fc.oneof(
    fc.constantFrom('a7', '', ' b', '"a,7"', '"say ""a, a"" b"', 'é', '""', '5" b', '"a\n\r\n7"'),
    fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', 'é'), maxLength: 6 }),
  )
  const line = fc.array(cell, { minLength: 1, maxLength: 4 }).map(String)
  const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n', '\r')), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(lines, async (written) => {
      const text = written.flat().join('')
      const records = await recordsOf([Buffer.from(text)])
      const fault = typeof records.at(-1) === 'string' ? records.pop() : undefined
      const options = { relax_quotes: true, relax_column_count: true, skip_empty_lines: true }
      const onSkip = { skip_records_with_error: true, record_delimiter: ['\r\n', '\n', '\r'] }
      const expected = parse(text, { ...options, ...onSkip }) as string[][]
      if (fault === undefined) expect(records).toHaveLength(expected.length)
      for (const [index, { cells, hasStrayText }] of (records as CsvRecord[]).entries())
        if (!hasStrayText) expect(cells).toEqual(expected[index])
    }),
    { numRuns: 2000 },
  )
})

/** The records, and the fault that ends them. */
async function recordsOf(pieces: Buffer[]): Promise<(CsvRecord | string)[]> {
  const records: (CsvRecord | string)[] = []
  try {
    for await (const batch of csvRecords(pieces, ',', 'the-file')) records.push(...batch)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    records.push(error.message)
  }
  return records
}

/** What a program would write, and the rows that it means. Lines are counted the slow and certain way. */
function textOf({ idIndex, rows, delimiter, headerEnd, isLastEnded }: Table): {
  text: string
  rows: PlainRow[]
} {
  const columns = rows[0]?.others.map((_, index) => `note ${index}`) ?? []
  const names = columns.toSpliced(idIndex, 0, 'conversation_id')
  let text = names.join(delimiter) + headerEnd
  const plainRows: PlainRow[] = []
  for (const [index, { id, others, blanksBefore, end, quotesAll }] of rows.entries()) {
    text += blanksBefore.join('')
    const line = 1 + (text.match(/\r\n|\n|\r/g)?.length ?? 0)
    const cells = others.toSpliced(idIndex, 0, id)
    text += cells.map((value) => quoted(value, delimiter, quotesAll)).join(delimiter)
    if (index < rows.length - 1 || isLastEnded) text += end
    const record = Object.fromEntries(names.map((name, column) => [name, cells[column]]))
    plainRows.push({ id, line, problem: undefined, record })
  }
  return { text, rows: plainRows }
}

function quoted(value: string, delimiter: string, always: boolean): string {
  const isPlain = !/["\r\n]/.test(value) && !value.includes(delimiter)
  return isPlain && !always ? value : `"${value.replaceAll('"', '""')}"`
}

function encoded(text: string, encoding: string): Buffer {
  if (encoding === 'utf8') return Buffer.from(text)
  if (encoding === 'utf8 with mark') return Buffer.from(`\ufeff${text}`)
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le')
  return encoding === 'utf16le' ? bytes : bytes.swap16()
}
