import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { csv } from '../../src/sources/csv.js'
import { json } from '../../src/sources/json.js'
import { rowsIn } from './json-shapes.js'
import { describeSource, readRows } from './source-contract.js'

const id = '66f2a91c4be07d3f5c1e0001'

describeSource(
  json,
  Buffer.from(
    `{"message":"Success","data":[\n${Array.from({ length: 20_000 }, (_, n) => `{"_id":"${id}${n}","subject":"chat é ${n}\\n\\"web\\"",\n"variables":{"order":${n}}}`)},7]}\n`,
  ),
)

async function idsIn(text: string): Promise<string[]> {
  return (await rowsIn([text])).map((row) => row.id)
}

describe('the ID of a record', () => {
  test.each([
    ['{"_id":"m","id":"i","conversation_id":"c"}', 'c'],
    ['{"id":"i","_id":"m"}', 'm'],
    ['{"id":"i"}', 'i'],
    ['{"_id":""}', ''],
    ['{"_id":9007199254740991}', '9007199254740991'],
    ['{"_id":1e3}', '1000'],
    ['{"_id":"a","_id":"b"}', 'b'],
    ['{"_\\u0069d":"a"}', 'a'],
    ['{"_id":"\\ud83d\\ude42"}', '🙂'],
    ['{"_id":"\\ud800"}', '\ud800'],
    ['{"_id":"a\\u0000"}', 'a\0'],
    ['{"_id":"a","id":{}}', 'a'],
    ['{"id":"i","conversationId":"c"}', 'c'],
    ['{"id":7,"Ada_Conversation_ID__c":"c"}', 'c'],
    ['{"id":7,"conversation":"66f2a91c4be07d3f5c1e0001"}', '66f2a91c4be07d3f5c1e0001'],
    ['{"id":7,"conversation":"hello there"}', '7'],
    ['{"_id":{"$oid":"66f2a91c4be07d3f5c1e0001"}}', '66f2a91c4be07d3f5c1e0001'],
  ])('in %s is %j', async (record, expected) => {
    expect(await idsIn(`{"data":[${record}]}`)).toEqual([expected])
    expect(await idsIn(record)).toEqual([expected])
  })
})

describe('what is a page and what is a record', () => {
  test.each([
    ['an array under data or items makes a page', '{"meta":1,"items":[{"_id":"a"}]}', ['a']],
    ['wherever the white space stands', '{ "data"\n:\t[ {"_id":"a"} ] }', ['a']],
    ['an object under data does not', '{"_id":"r","data":{"items":[{"_id":"a"}]}}', ['r']],
    ['an array further inside does not', '{"_id":"r","x":{"data":[{"_id":"a"}]}}', ['r']],
    ['nor does a text that is called so', '{"x":"data","y":[{"_id":"a"}],"_id":"r"}', ['r']],
    ['an ID before it makes a record', '{"_id":"r","items":[{"_id":"a"}]}', ['r']],
    ['an ID behind it does not', '{"data":[{"_id":"a"}],"id":"request"}', ['a']],
    ['a page may have both arrays', '{"data":[{"_id":"a"}],"items":[{"_id":"b"}]}', ['a', 'b']],
    ['records in a page are never pages', '{"data":[{"data":[{"_id":"b"}],"_id":"a"}]}', ['a']],
    [
      'an array may have pages and records',
      '[{"_id":"a"},{"data":[{"_id":"b"}]},{"_id":"c"}]',
      ['a', 'b', 'c'],
    ],
  ])('%s', async (_, text, expected) => {
    expect(await idsIn(text)).toEqual(expected)
  })
})

describe('hostile JSON', () => {
  test('a record with ten thousand levels is a row with its problem', async () => {
    const deep = `${'[{"a":'.repeat(5_000)}1${'}]'.repeat(5_000)}`
    for (const text of [`[{"_id":"a","x":${deep}},{"_id":"b"}]`, `{"_id":"a","x":${deep}}\n{"_id":"b"}`]) {
      const rows = await rowsIn([text])
      expect(rows.map((row) => row.id)).toEqual(['', 'b'])
      expect(rows[0]?.problem).toContain('has more than 1000 levels of brackets')
    }
  })

  test('brackets without end are refused in no time', async () => {
    const endless = rowsIn(Array.from({ length: 400 }, () => '['.repeat(64 * 1024)))
    await expect(endless).rejects.toThrow('longer than 16 MiB')
  })

  test('names that mean something to JavaScript are fields like others', async () => {
    const [row] = await rowsIn(['{"__proto__":{"_id":"x"},"constructor":1,"_id":"a","toString":2}'])
    expect(row?.id).toBe('a')
    expect(Object.keys(row!.record)).toEqual(['__proto__', 'constructor', '_id', 'toString'])
    const [none] = await rowsIn(['[{"__proto__":{"_id":"x"}}]'])
    expect(none?.problem).toContain('has no conversation_id, _id or id')
  })

  test('one record of 12 MiB comes through in small pieces', async () => {
    const note = '\\\\\\"{['.repeat(1_500_000)
    const text = `[{"_id":"a","note":"${note}"},{"_id":"b"}]`
    const rows = await rowsIn(text.match(/.{1,4099}/g)!)
    expect(rows.map((row) => row.id)).toEqual(['a', 'b'])
    expect((rows[0]!.record.note as string).length).toBe(4 * 1_500_000)
  })
})

test('any record is given as JSON.parse gives it', async () => {
  const values = fc.array(fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true }))
  await fc.assert(
    fc.asyncProperty(values, fc.constantFrom('', ' '), async (records, indent) => {
      const rows = await rowsIn([JSON.stringify({ data: records }, null, indent)])
      expect(rows.map((row) => row.record)).toEqual(JSON.parse(JSON.stringify(records)))
    }),
    { numRuns: 300 },
  )
})

test('what begins like JSON is not a CSV, and the other way round', () => {
  fc.assert(
    fc.property(fc.constantFrom('', ' ', '\n', '\r\n\t', '\u00a0'), fc.string(), (space, text) => {
      const head = Buffer.from(space + text)
      expect(json.recognises(head)).toBe(!csv.recognises(head))
    }),
  )
  for (const head of ['{', ' [', '\n{"data"']) expect(json.recognises(Buffer.from(head))).toBe(true)
})

describe('the samples', () => {
  test.each([
    ['export-page.json', 12, 12],
    // A record of the first page comes again on the second.
    ['export-pages.json', 10, 9],
    ['export-array.json.gz', 10, 10],
    ['export.jsonl', 10, 10],
    ['messages.json', 14, 5],
  ])('%s has %i records of %i conversations', async (name, records, conversations) => {
    const rows = await readRows(json, new URL(`../../samples/${name}`, import.meta.url).pathname)
    expect(rows.map(({ problem }) => problem)).toEqual(Array(records).fill(undefined))
    expect(new Set(rows.map((row) => row.id)).size).toBe(conversations)
    for (const row of rows) expect(row.id).toMatch(/^[0-9a-f]{24}$/)
  })
})
