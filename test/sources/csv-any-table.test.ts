import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { csv } from '../../src/sources/csv.js'
import { csvRecords } from '../../src/sources/csv-records.js'
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

test('lines that are plain come to the same as by csv-parse', async () => {
  const line = fc.oneof(
    fc
      .array(fc.constantFrom('a7', '', ' b', '"a,7"', '"say ""a"""', 'é', '""'), { maxLength: 4 })
      .map(String),
    fc.string({ unit: fc.constantFrom('a', '"', ',', '\r', 'é'), maxLength: 8 }),
  )
  const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n')), { maxLength: 12 })
  await fc.assert(
    fc.asyncProperty(lines, fc.nat(60), async (written, cut) => {
      const bytes = Buffer.from(written.flat().join(''))
      // A quote in the middle of a cell is for csv-parse, and so is all below.
      const notPlain = Buffer.from('a"b\r\n')
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)]
      expect(await recordsOf(pieces, 2)).toEqual((await recordsOf([notPlain, ...pieces])).slice(1))
    }),
    { numRuns: 1000 },
  )
})

/** With lines counted from `firstLine` on. */
async function recordsOf(pieces: Buffer[], firstLine = 1): Promise<unknown[]> {
  const records: unknown[] = []
  try {
    for await (const batch of csvRecords(pieces, ',', 'the-file')) {
      records.push(...batch.map((record) => ({ ...record, line: record.line + firstLine - 1 })))
    }
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    records.push(error.message.replace(/(?<=line )\d+/, (line) => String(Number(line) + firstLine - 1)))
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
