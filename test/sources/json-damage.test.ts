import { describe, expect, test } from 'vitest'
import { UsageError } from '../../src/system/errors.js'
import { cutEvery, rowsIn } from './json-shapes.js'

const first = '66f2a91c4be07d3f5c1e0001'
const second = '66f2a91c4be07d3f5c1e0002'
const third = '66f2a91c4be07d3f5c1e0003'
const whole = [first, second, third].map((id) => `{"_id":"${id}","note":"[{\\"é"}`)

async function problems(text: string): Promise<[string, number, string | undefined][]> {
  return (await rowsIn([text])).map(({ id, line, problem }) => [id, line, problem])
}

async function refusal(pieces: Iterable<Buffer | string>, acceptTruncated = false): Promise<string> {
  const error = await rowsIn(pieces, acceptTruncated).then(
    () => expect.fail('it was read'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UsageError)
  return (error as Error).message
}

describe('a damaged record is a row with its problem, and the next one is read', () => {
  test.each([
    ['{"_id":"a" "b":1}', 'is damaged: expected , or } at line 2, byte 23, found "\\""'],
    ['{"_id":"a",}', 'is damaged: expected a name at line 2, byte 23, found "}"'],
    ['{"_id":\n"é" x}', 'is damaged: expected , or } at line 3, byte 25, found "x"'],
    ['{"note":"no ID"}', 'has no conversation_id, _id or id'],
    ['{"_id":null}', 'has a _id that is neither text nor a whole number of up to 15 digits'],
    ['{"conversation_id":null,"_id":"m"}', 'has a conversation_id that is neither'],
    ['{"_id":12345678901234567890}', 'has a _id that is neither'],
    ['{"_id":1.5}', 'has a _id that is neither'],
    ['{"_id":1e400}', 'has a _id that is neither'],
    ['[1,2]', 'is no object'],
    ['"text"', 'is no object'],
    ['tru', 'is damaged: it ends too early'],
    ['7', 'is no object'],
  ])('%s', async (damaged, problem) => {
    const rows = await problems(`{"data":[\n ${damaged}\n,${whole[1]}]}`)
    expect(rows).toEqual([
      ['', 2, expect.stringContaining(`the record at line 2, byte 12 ${problem}`)],
      [second, damaged.split('\n').length + 2, undefined],
    ])
  })

  test('in a file of lines a damaged one ends with its line', async () => {
    const torn = [
      `{"_id":"${first}","no`,
      '{"_id":"x","list":[1,',
      '{"a":[}',
      'te":"x"}',
      'oops',
      '{"_id":"y"}}',
      'null',
    ]
    for (const line of torn) {
      const rows = await problems([whole[0], line, whole[1], whole[2], ''].join('\n'))
      expect(rows.filter(([id]) => id.length === 24).map(([id, place]) => [id, place])).toEqual([
        [first, 1],
        [second, 3],
        [third, 4],
      ])
      const [, , problem] = rows.find(([, , text]) => text !== undefined)!
      expect(problem).toMatch(/^the record at line 2, byte \d+ is (damaged: (expected|it ends)|no object)/)
    }
  })

  test('behind lines of records others may follow that take many lines', async () => {
    for (const end of ['\n', '\r\n']) {
      const pretty = [second, third].map((id) => JSON.stringify({ data: [{ _id: id }] }, null, 2))
      const loose = `{"_id":"${third}",\n"note":""}`
      const record = JSON.stringify({ _id: first }, null, 2)
      const text = [whole[0], whole[1], ...pretty, record, loose].join('\n').replaceAll('\n', end)
      expect(await problems(text)).toEqual([
        [first, 1, undefined],
        [second, 2, undefined],
        [second, 5, undefined],
        [third, 12, undefined],
        [first, 17, undefined],
        [third, 20, undefined],
      ])
    }
  })
})

describe('damage that hides where records end refuses the file, and names the place', () => {
  test.each([
    [`{"data":[${whole[0]} ▸${whole[1]}]}`, ', or ]'],
    [`{"data":[\n${whole[0]},▸]}`, 'a record'],
    [`{"data":[\n▸,${whole[0]}]}`, 'a record or ]'],
    [`{"data":[${whole[0]}▸}`, ', or ]'],
    [`[${whole[0]}▸},${whole[1]}]`, ', or ]'],
    [`[{"_id":"a","b":{"c":1},▸${whole[0]}]`, 'a name'],
    [`[{"_id":"a","b":[1▸},${whole[0]}]`, ', or ]'],
    [`[{"_id":"a},{"▸_id":"b"}]`, ', or }'],
    // The quotes come right again, but three records have become one.
    [`[{"_id":"a,"▸x":"y"},{"_id":"m","x":"w"},{"_id":"b,"x":"z"}]`, ', or }'],
    [`[{"_id:"▸a","x":"y"},{"_id":"m","x":"w"},{"_id":"b,"x":"z"}]`, ':'],
    [`${whole[0]} ▸oops`, '{ or ['],
    [`{"data":[${whole[0]}],"meta":{"next" ▸1}}`, ':'],
    [`{"message":▸ok,"data":[${whole[0]}]}`, 'a value'],
  ])('%s', async (marked, expected) => {
    const at = Buffer.from(marked).indexOf('▸')
    const text = marked.replace('▸', '')
    const line = marked.slice(0, marked.indexOf('▸')).split('\n').length
    const found = JSON.stringify(Buffer.from(text).toString('utf8', at, at + 1))
    const message = `the-file, line ${line}, byte ${at + 1}: expected ${expected} here, found ${found}.`
    for (const acceptTruncated of [false, true]) {
      expect(await refusal([text], acceptTruncated)).toContain(message)
      expect(await refusal(cutEvery(Buffer.from(text), 1), acceptTruncated)).toContain(message)
    }
  })

  test('a record of more than 16 MiB', async () => {
    const long = `[\n {"_id":"a","note":"${'x'.repeat(17 * 1024 * 1024)}"}]`
    const hiding = `[\n {"_id":"a},${'{"_id":"b"},'.repeat(1_500_000)}]`
    for (const pieceLength of [1e8, 1e5]) {
      const cut = (text: string) => cutEvery(Buffer.from(text), pieceLength)
      expect(await refusal(cut(long))).toContain(
        'the-file, line 2, byte 4: the record that begins here is longer than 16 MiB',
      )
      expect(await refusal(cut(hiding))).toContain(
        'the-file, line 2, byte 17: expected , or } here, found "_"',
      )
    }
  })
})

describe('a file without records is refused', () => {
  test.each([
    ['', 'the-file is empty'],
    [' \n', 'the-file is empty'],
    [
      '{"message":"Unauthorized"}',
      'holds no records: it looks like an error answer of the API: Unauthorized',
    ],
    [
      '{"errors":[{"type":"validation_error","message":"created_since must end in Z","details":null}]}',
      'holds no records: it looks like an error answer of the API: created_since must end in Z',
    ],
    ['{"errors":[null]}', 'it looks like an error answer of the API: {"errors":[null]}'],
    ['{"errors":"x"}\n{"errors":"y"}', 'it looks like an error answer of the API: {"errors":"x"}'],
    ['{"data":{"_id":"a"}}', 'holds no records: it has neither an array under data or items nor an ID'],
    ['{}', 'holds no records'],
  ])('%s', async (text, message) => {
    expect(await refusal([text])).toContain(message)
  })

  test('unless there is an array for them', async () => {
    for (const text of ['[]', '{"data":[]}', ' [ ] ', '[{"items":[ ],"meta":{}}]']) {
      expect(await problems(text)).toEqual([])
    }
  })

  test('an error answer behind pages is a row with its problem', async () => {
    const rows = await problems(`{"data":[${whole[0]}]}\n{"message":"Too many requests"}`)
    expect(rows).toEqual([
      [first, 1, undefined],
      ['', 2, 'the record at line 2, byte 63 has no conversation_id, _id or id'],
    ])
  })
})

describe('what is cut off, at every byte', () => {
  const shapes: Record<string, string> = {
    page: `{ "message":"\\u00e9","data":[${whole.join(' ,\n')}],"next_page_uri":null}`,
    pages: `{"data":[${whole[0]},${whole[1]}],"meta":{"a":[-1.5e+3,true]}}\n{"items":[${whole[2]}]}`,
    'array of pages': `[{"data":[${whole[0]}]},{"data":[${whole[1]},${whole[2]}]}]`,
    array: `[\n${whole.join(',\n')}\n]`,
    lines: whole.join('\n'),
    values: whole.join(''),
    'one record': whole[0]!,
    pretty: JSON.stringify({ data: whole.map((text) => JSON.parse(text)) }, null, 2),
    scalars: `[${whole[0]},-1.5e+3,true,null,"\\u00e9"]`,
  }

  test.each(Object.entries(shapes))('%s', async (_, text) => {
    const bytes = Buffer.from(text)
    const rows = await rowsIn([bytes])
    for (let length = 1; length < bytes.length; length++) {
      const start = bytes.subarray(0, length)
      const accepted = await rowsIn([start], true)
      expect(accepted).toEqual(rows.slice(0, accepted.length))
      const ids = [first, second, third].filter((id) => {
        const at = start.indexOf(id)
        return at >= 0 && start.indexOf('}', at) >= 0
      })
      expect(accepted.filter(({ problem }) => problem === undefined).map(({ id }) => id)).toEqual(ids)
      const refused = await rowsIn([start]).catch((error: unknown) => error)
      if (refused instanceof UsageError) {
        const line = start.toString('latin1').split('\n').length
        expect(refused.message).toContain(
          `is cut off at line ${line}, byte ${length + 1}, with ${accepted.length} whole`,
        )
        expect(refused.message).toContain('--accept-truncated')
      } else {
        // Cut between two whole values: nothing shows that there were more.
        expect(start.toString().trimEnd()).toMatch(/\}$/)
        expect(refused).toEqual(accepted)
      }
    }
  })
})
