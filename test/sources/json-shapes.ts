import fc from 'fast-check'
import { jsonRows } from '../../src/sources/json.js'
import type { PlainRow } from './source-contract.js'

/** An export as somebody may have saved it, and the rows that it means. */
export interface Saved {
  text: string
  rows: PlainRow[]
  /** Where each of them is complete, in bytes. */
  ends: number[]
}

/** Texts in the order of the file; the records among them say which row they are. */
type Part = string | { id: string; json: string }

const idField = fc.constantFrom('conversation_id', '_id', 'id')
const id = fc.oneof(fc.stringMatching(/^[0-9a-f]{24}$/), fc.maxSafeInteger())
const text = fc.string({
  unit: fc.constantFrom('a', '"', '\\', '{', ']', ',', '\n', 'é', '🙂', '\ud800', '\0'),
})
const fields = fc.dictionary(
  fc.oneof(fc.constantFrom('data', 'items', 'variables', '__proto__', '0'), text),
  fc.oneof(text, fc.jsonValue({ maxDepth: 3 }), fc.constant([{ _id: 'inside' }])),
  { maxKeys: 4, noNullPrototype: true },
)

/** The ID is written first, as exports do. */
const record = fc.tuple(idField, id, fields).map(([field, value, others]) => {
  const rest = Object.entries(others).filter(([name]) => !['conversation_id', '_id', 'id'].includes(name))
  return { id: String(value), members: [[field, value] as const, ...rest] }
})

/** What stands before and behind the records of a page. */
const envelopes: readonly (readonly [string, string])[] = [
  ['{"data":', ',"meta":{"next_page_uri":null}}'],
  ['{"meta":{"data":1,"items":{}}, "data" : ', '}'],
  ['{"items":', ',"meta":{"next_page_uri":"/api/v2/export/conversations?cursor=[\\"{"}}'],
  ['{"message":"Success, \\"data\\":","data":', ',"next_page_uri":"x"}'],
  ['{"next_page_uri":null, "data":null,\n"items":', '\n}'],
  ['{"data":[],"items":', ',"id":"5"}'],
]

const style = fc.record({
  indent: fc.constantFrom('', '  ', '\t'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  between: fc.constantFrom('', ' ', '\n', '\r\n', '\n\n  '),
  pageLength: fc.integer({ min: 1, max: 4 }),
  envelope: fc.constantFrom(...envelopes),
})

const shape = fc.constantFrom(
  'pages',
  'array of pages',
  'array',
  'lines',
  'lines of pages',
  'values',
  'mixture',
)

/** The same records in any shape, with any white space. */
export const saved: fc.Arbitrary<Saved> = fc
  .tuple(fc.array(record, { minLength: 1, maxLength: 9 }), style, shape)
  .map(([records, { indent, lineEnd, between, pageLength, envelope }, form]) => {
    const isLines = form.startsWith('lines')
    const parts = records.map(({ id, members }) => ({
      id,
      json: write(members, isLines ? '' : indent, lineEnd),
    }))
    const space = isLines ? '' : between
    const comma = [space, ',', space]
    const arrayOf = (items: Part[][]) => ['[', space, ...joined(items, comma), space, ']']
    const each = parts.map((part) => [part])
    const pages = groups(parts, pageLength).map((group) => {
      const [before, after] = envelope.map((side) => (isLines ? side.replaceAll('\n', '') : side))
      return [before!, ...arrayOf(group.map((part) => [part])), after!]
    })
    const forms: Record<typeof form, () => Part[]> = {
      pages: () => joined(pages, [between]),
      'array of pages': () => arrayOf(pages),
      array: () => arrayOf(each),
      lines: () => [...joined(each, [lineEnd]), lineEnd],
      'lines of pages': () => joined(pages, [lineEnd]),
      values: () => joined(each, [between]),
      mixture: () => arrayOf([...pages.slice(0, 1), ...each.slice(pageLength)]),
    }
    return savedOf(forms[form]())
  })

function savedOf(parts: Part[]): Saved {
  let text = ''
  const rows: PlainRow[] = []
  const ends: number[] = []
  for (const part of parts) {
    if (typeof part === 'string') text += part
    else {
      const line = text.split('\n').length
      rows.push({ id: part.id, line, problem: undefined, record: JSON.parse(part.json) })
      text += part.json
      ends.push(Buffer.byteLength(text))
    }
  }
  return { text, rows, ends }
}

/** Not by way of an object, which would put names that are numbers first. */
function write(members: readonly (readonly [string, unknown])[], indent: string, lineEnd: string): string {
  const texts = members.map(
    ([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value, null, indent)}`,
  )
  const gap = indent && `\n${indent}`
  return `{${gap}${texts.join(`,${gap}`)}${indent && '\n'}}`.replaceAll('\n', lineEnd)
}

function joined(items: readonly Part[][], separator: Part[]): Part[] {
  return items.flatMap((item, index) => (index === 0 ? item : [...separator, ...item]))
}

function groups<T>(items: readonly T[], length: number): T[][] {
  const starts = items.map((_, index) => index).filter((index) => index % length === 0)
  return starts.map((start) => items.slice(start, start + length))
}

export async function rowsIn(
  pieces: Iterable<Buffer | string>,
  acceptTruncated = false,
): Promise<PlainRow[]> {
  const rows: PlainRow[] = []
  for await (const batch of jsonRows(buffersOf(pieces), 'the-file', acceptTruncated)) {
    for (const row of batch) {
      rows.push({ id: row.id, line: row.line, problem: row.problem, record: { ...row.record() } })
    }
  }
  return rows
}

async function* buffersOf(pieces: Iterable<Buffer | string>): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield Buffer.from(piece)
}

/** The bytes in pieces that end at the cuts. */
export function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].sort((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

export function cutEvery(bytes: Buffer, length: number): Buffer[] {
  const starts = Array.from({ length: Math.ceil(bytes.length / length) }, (_, index) => index * length)
  return starts.map((start) => bytes.subarray(start, start + length))
}
