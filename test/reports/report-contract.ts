import { PassThrough } from 'node:stream'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type SettledItem, statuses } from '../../src/item.js'
import { type Report, type Rows, writeReport } from '../../src/reports/report.js'
import { runOf } from './reported.js'

/** The contract's columns, in their order. */
export const columns =
  'id,status,reason,http_status,attempts,finished_at,duration_ms,message,source,line'.split(',')

/** What a report says of an item. */
export type ReportRow = Record<string, string | number | null>

export const succeeded: SettledItem = {
  ordinal: 0,
  id: '66f2a91c4be07d3f5c1e0001',
  status: 'succeeded',
  reason: 'ended',
  httpStatus: 200,
  attempts: 1,
  finishedAt: '2026-11-22T15:04:05.678Z',
  durationMs: 128,
  message: '',
  source: 'conversations.csv',
  line: 2,
}
const filtered: SettledItem = {
  ...succeeded,
  ordinal: 1,
  id: '66f2a91c4be07d3f5c1e0002',
  status: 'filtered',
  reason: 'on_hold',
  httpStatus: null,
  attempts: 0,
  durationMs: 0,
  line: 3,
}

/** Any but half of one, which no file can hold. */
const character = fc
  .oneof(fc.integer({ min: 0, max: 0xd7ff }), fc.integer({ min: 0xe000, max: 0x10ffff }))
  .map((code) => String.fromCodePoint(code))

/** Text as somebody might send it who means no good. */
const hostileText = fc.oneof(
  fc.string({ unit: character, maxLength: 20 }),
  fc
    .array(
      fc.constantFrom(
        ...'=+-@"\',;\n\r\t|\\ \ufeff\uff1d\u2028\0{a',
        ...['""', '\r\n', '=HYPERLINK("https://evil.example";"x")', 'ä🙂', '</script>'],
      ),
      { maxLength: 6 },
    )
    .map((pieces) => pieces.join('')),
)

const anyItem: fc.Arbitrary<SettledItem> = fc.record({
  ordinal: fc.nat(),
  id: hostileText,
  status: fc.constantFrom(...statuses),
  reason: fc.oneof(fc.constantFrom('ended', 'not_found', 'on_hold'), hostileText),
  httpStatus: fc.option(fc.integer({ min: 100, max: 599 })),
  attempts: fc.nat(100),
  finishedAt: fc
    .date({ min: new Date('2026-01-01'), max: new Date('2036-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  durationMs: fc.nat(),
  message: hostileText,
  source: hostileText,
  line: fc.integer({ min: 1 }),
})

export async function textOf(report: Report, batches: readonly (readonly SettledItem[])[]): Promise<string> {
  const out = new PassThrough()
  const text = out.toArray()
  const run = runOf(async function* () {
    yield* batches
  })
  await writeReport(report, run, out)
  out.end()
  return Buffer.concat(await text).toString()
}

/** The row that stands for an item, with what the format does to its texts. */
function rowOf(item: SettledItem, asWritten: (text: string) => string): ReportRow {
  return {
    id: asWritten(item.id),
    status: item.status,
    reason: asWritten(item.reason),
    http_status: item.httpStatus,
    attempts: item.attempts,
    finished_at: item.finishedAt,
    duration_ms: item.durationMs,
    message: asWritten(item.message),
    source: asWritten(item.source),
    line: item.line,
  }
}

/** What every report that a program can read promises. `read` is such a program. */
export function describeReport(
  report: Report & Rows,
  read: (text: string) => ReportRow[],
  asWritten: (text: string) => string = (text) => text,
): void {
  describe(`the report contract: ${report.format}`, () => {
    const rows = (items: readonly SettledItem[]) => items.map((item) => rowOf(item, asWritten))

    test('it names its format and its file', () => {
      expect(report.fileName).toBe(`report.${report.format}`)
    })

    test('a reader gets every item back in its order, whatever the texts hold', () => {
      fc.assert(
        fc.property(fc.array(anyItem, { maxLength: 8 }), (items) => {
          const text = report.head + items.map((item) => report.row(item)).join('')
          expect(read(text)).toEqual(rows(items))
        }),
        { numRuns: 150 },
      )
    })

    test('the columns are the contract’s, in their order', async () => {
      const [row = {}] = read(await textOf(report, [[succeeded]]))
      expect(Object.keys(row)).toEqual(columns)
    })

    test('batches follow each other without a seam, empty ones too', async () => {
      const batches = [[], [succeeded, filtered], [], [filtered]]
      expect(read(await textOf(report, batches))).toEqual(rows(batches.flat()))
    })

    test('of nothing, it is its head', async () => {
      expect(await textOf(report, [])).toBe(report.head)
      expect(read(report.head)).toEqual([])
    })

    test('every line ends in a line feed, as programs split by it', async () => {
      const text = await textOf(report, [[succeeded, filtered]])
      expect(text.endsWith('\n')).toBe(true)
      expect(text).not.toContain('\r')
      expect(text.slice(report.head.length).split('\n')).toHaveLength(3)
    })

    test('a writer that is slow is waited for', async () => {
      const out = new PassThrough({ highWaterMark: 1 })
      let given = 0
      const run = runOf(async function* () {
        for (; given < 5; given++) yield [succeeded]
      })
      const writing = writeReport(report, run, out)
      await new Promise((resolve) => setImmediate(resolve))
      expect(given).toBeLessThan(2)
      out.resume()
      await writing
      expect(given).toBe(5)
    })
  })
}
