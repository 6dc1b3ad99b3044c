import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { csv } from '../../src/sources/csv.js'
import { UsageError } from '../../src/system/errors.js'
import { describeSource, type PlainRow, readRows } from './source-contract.js'

const first = '66f2a91c4be07d3f5c1e0001'
const second = '66f2a91c4be07d3f5c1e0002'
const third = '66f2a91c4be07d3f5c1e0003'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ada-bulk-csv-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

async function read(text: string | Uint8Array, idColumn?: string): Promise<PlainRow[]> {
  const path = join(directory, 'conversations.csv')
  await writeFile(path, text)
  return readRows(csv, path, idColumn === undefined ? {} : { idColumn })
}

const ids = (rows: readonly PlainRow[]) => rows.map((row) => row.id)
const lines = (rows: readonly PlainRow[]) => rows.map((row) => row.line)

async function refusal(reading: Promise<unknown>): Promise<string> {
  const error = await reading.then(
    () => expect.fail('it was read'),
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(UsageError)
  return (error as Error).message
}

describeSource(
  csv,
  Buffer.from(
    `conversation_id;note\n${Array.from({ length: 30_000 }, (_, n) => `${first}${n};"chat é ${n},\r\n""web"""\n${n % 7 ? '' : '\n'}`).join('')}`,
  ),
)

describe('which column holds the IDs', () => {
  test.each(['conversation_id', 'conversationId', 'Conversation ID', '_id', 'id', ' CONVERSATION_ID ', 'ID'])(
    'it is found by the name %j',
    async (name) => {
      expect(ids(await read(`channel,${name}\nchat,${first}\n`))).toEqual([first])
    },
  )

  test('the known names have an order', async () => {
    expect(ids(await read(`id,conversation_id\n7,${first}\n`))).toEqual([first])
  })

  test('a name given wins over the known ones, in any case', async () => {
    expect(ids(await read(`conversation_id,Chat\n7,${first}\n`, 'chat'))).toEqual([first])
  })

  test('a number counts from 1', async () => {
    expect(ids(await read(`${first},chat\n${second},web\n`, '1'))).toEqual([first, second])
    expect(ids(await read(`chat,id\nweb,${second}\n`, '2'))).toEqual([second])
  })

  test('a column that is named by the number wins over its place', async () => {
    expect(ids(await read(`note,2,1\nx,y,${first}\n`, '1'))).toEqual([first])
  })

  test('with a number, a first row unlike the IDs below it is a header', async () => {
    expect(ids(await read(`Kanal,Gespräch\nweb,${first}\nweb,${second}\n`, '2'))).toEqual([first, second])
  })

  test('no known name among several columns is refused with the names there are', async () => {
    const message = await refusal(read(`chat,agent\nx,y\n`))
    expect(message).toContain('the-file')
    expect(message).toContain('"chat", "agent"')
    expect(message).toContain('--id-column')
  })

  test('a long list of columns is cut', async () => {
    const message = await refusal(read(`${Array.from({ length: 500 }, (_, n) => `c${n}`).join(',')}\n`))
    expect(message.length).toBeLessThan(400)
    expect(message).toContain('and 488 more')
  })

  test('an unknown name, a number out of range and a name that occurs twice are refused', async () => {
    expect(await refusal(read('id,note\n1,2\n', 'chat'))).toContain('"id", "note"')
    expect(await refusal(read('id,note\n1,2\n', '3'))).toContain('has 2')
    expect(await refusal(read('id,note\n1,2\n', '0'))).toContain('counted from 1')
    expect(await refusal(read('id,note,note\n1,2,3\n', 'note'))).toContain('2 and 3')
    expect(await refusal(read('id,id\n1,2\n'))).toContain('1 and 2')
  })
})

describe('a single column', () => {
  test('without a header every row is an ID', async () => {
    expect(ids(await read(`${first}\n${second}`))).toEqual([first, second])
  })

  test.each(['conversation_id', 'Conversation', 'Conversations', 'conversation ids', 'IDs', 'Ended chats'])(
    'the header %j is no ID',
    async (header) => {
      expect(ids(await read(`${header}\n${first}\n${second}\n`))).toEqual([first, second])
    },
  )

  test('in doubt the first row is an ID', async () => {
    expect(ids(await read('conv-a\nconv-b\n'))).toEqual(['conv-a', 'conv-b'])
    expect(ids(await read(`chat-1\n${first}\n`))).toEqual(['chat-1', first])
    expect(ids(await read('abc\n'))).toEqual(['abc'])
  })
})

describe('lines', () => {
  test.each(['\n', '\r\n', '\r'])('rows have the line they begin in, with line ends %j', async (end) => {
    const rows = await read(
      ['id,note', '', `${first},"a${end}${end}b"`, '', '', `${second},c`, `${third},d`].join(end),
    )
    expect(lines(rows)).toEqual([3, 8, 9])
    expect(rows[0]!.record).toEqual({ id: first, note: `a${end}${end}b` })
  })

  test('line ends may be mixed', async () => {
    const rows = await read(`id,note\r\n${first},"x\ny\rz\r\n"\n${second},\r\r${third},\n`)
    expect(lines(rows)).toEqual([2, 6, 8])
  })

  test('lines of spaces are blank', async () => {
    expect(lines(await read(`id,note\n  \n${first},x\n\t\n`))).toEqual([3])
  })
})

describe('cells', () => {
  test.each([',', ';', '\t', '|'])('may be separated by %j', async (delimiter) => {
    const rows = await read(`note${delimiter}id\n"a, b; c\t|"${delimiter}${first}\n`)
    expect(rows).toEqual([
      { id: first, line: 2, problem: undefined, record: { note: 'a, b; c\t|', id: first } },
    ])
  })

  test('Latin-1 in other columns does no harm, and in an ID it can be seen', async () => {
    const rows = await read(Buffer.from(`id,note\n${first},caf\xe9\nabc\xe9,x\n`, 'latin1'))
    expect(ids(rows)).toEqual([first, 'abc\ufffd'])
  })

  test('fields have the names of the header, or numbers', async () => {
    expect((await read(`id,note,note,\n${first},a,b,c\n`))[0]!.record).toEqual({
      id: first,
      note: 'a',
      note_2: 'b',
      column_4: 'c',
    })
    expect((await read(`${first},a\n${second},b\n`, '1'))[1]!.record).toEqual({
      column_1: second,
      column_2: 'b',
    })
  })

  test('a column named __proto__ is a field like any other', async () => {
    const [row] = await read(`id,__proto__\n${first},x\n`)
    expect(Object.entries(row!.record)).toContainEqual(['__proto__', 'x'])
  })
})

describe('rows that cannot be used', () => {
  test('an empty ID is given as such', async () => {
    expect(await read('id,note\n,x\n')).toMatchObject([{ id: '', line: 2, problem: undefined }])
  })

  test('a row that ends before the ID column says so', async () => {
    expect((await read(`note,more,id\nx\na,b,${first}\n`))[0]).toMatchObject({
      id: '',
      problem: 'the row has 1 cell, column 3 is missing',
    })
  })

  test('more or fewer cells than the header has are a problem', async () => {
    const rows = await read(`id,a,b\n${first},x,y,z\n${second},x\n${third},x,y\n`)
    expect(rows.map((row) => row.problem)).toEqual([
      'the row has 4 cells where the header has 3',
      'the row has 2 cells where the header has 3',
      undefined,
    ])
  })

  test('empty cells at the end are not', async () => {
    const rows = await read(`id,a,\n${first},x,,,\n${second},x\n`)
    expect(rows.map((row) => row.problem)).toEqual([undefined, undefined])
  })

  test('thousands of them take no longer than others', async () => {
    const rows = await read(`id,a,b\n${`${first},x\n`.repeat(50_000)}`)
    expect(rows.filter((row) => row.problem).length).toBe(50_000)
  }, 5_000)
})

describe('quotes', () => {
  test('inside a cell without quotes they are text', async () => {
    const [row] = await read(`id,note\n${first},a 5" screen\n${second},x\n`)
    expect(row).toMatchObject({ id: first, problem: undefined, record: { note: 'a 5" screen' } })
  })

  test('text after a closing quote makes a problem of the row and leaves the others alone', async () => {
    const rows = await read(`id,note\n${first},"said "hello" twice"\n${second},"x"\n`)
    expect(rows).toMatchObject([
      { id: first, line: 2, problem: 'text follows the closing quote of a cell in the row' },
      { id: second, line: 3, problem: undefined },
    ])
  })

  test('a lone quote that would take in other rows is refused with its line', async () => {
    const message = await refusal(read(`id,note\n${first},x\n${second},"oh\n${third},"x"\n`))
    expect(message).toContain('the-file, line 3')
  })

  test('a quote that nothing closes is refused with the line where it opens', async () => {
    expect(await refusal(read(`id,a,b\n${first},"x\ny","oh\n${second},x,y\n`))).toContain('the-file, line 3')
    const long = `id,a\n${first},x\n${second},"oh\n${`${third},x\n`.repeat(60_000)}`
    expect(await refusal(read(long))).toContain('the-file, line 3')
  })
})

describe('files that are no CSV', () => {
  test('an empty one and one of blank lines are refused', async () => {
    for (const text of ['', '\n\n  \r\n', '\ufeff']) expect(await refusal(read(text))).toContain('is empty')
  })

  test('a header alone has no rows', async () => {
    expect(await read('conversation_id,channel\n')).toEqual([])
    expect(await read('conversation_id')).toEqual([])
  })

  test('a workbook says what to do', async () => {
    for (const start of ['504b0304', 'd0cf11e0']) {
      const bytes = Buffer.concat([Buffer.from(start, 'hex'), Buffer.alloc(500)])
      expect(await refusal(read(bytes))).toContain('save it as CSV')
    }
  })

  test('bytes that no text has are refused, also late', async () => {
    expect(await refusal(read(Buffer.from('89504e470d0a1a0a0000000d', 'hex')))).toContain('the-file')
    expect(await refusal(read(`id\n${`${first}\n`.repeat(20_000)}\0`))).toContain('the-file')
  })

  test('a row longer than 1 MiB is refused with its line', async () => {
    expect(await refusal(read(`id,note\n${first},x\n${second},${'x'.repeat(1_100_000)}\n`))).toContain(
      'line 3',
    )
    expect(await refusal(read(`id,note\n${first},x\n${second}${','.repeat(1_300_000)}\n`))).toContain(
      'line 3',
    )
  })
})

describe('rows that are none', () => {
  test('nothing but separators and spaces is no row', async () => {
    expect(lines(await read(`conversation_id,name,x\n${first},a,1\n,,\n , ,\n${second},b,2\n,,\n`))).toEqual([
      2, 5,
    ])
  })

  test('a header that comes again where files were joined is left out, and said', async () => {
    let times = 0
    const path = join(directory, 'joined.csv')
    const part = (id: string) => `\ufeffconversation_id,name\n${id},a\n`
    await writeFile(path, part(first) + part(second))
    const onRepeatedHeader = () => {
      times += 1
    }
    expect(ids(await readRows(csv, path, { onRepeatedHeader }))).toEqual([first, second])
    expect(times).toBe(1)
    await writeFile(path, `${first}\nconversation_id\n${second}\n`)
    expect(ids(await readRows(csv, path))).toEqual([first, second])
  })

  test('both are rows where version 0.1 has numbered them', async () => {
    const path = join(directory, 'before.csv')
    await writeFile(path, `id,name\n${first},a\n,\nid,name\n`)
    expect(ids(await readRows(csv, path, { keepsFillers: true }))).toEqual([first, '', 'id'])
  })

  test('a web page in place of a list is refused with its title', async () => {
    const page = '<html>\n<head><title>403 Forbidden</title></head>\n<body>\n<hr>\n</body>\n</html>\n'
    expect(await refusal(read(page))).toBe(
      'the-file is a web page (“403 Forbidden”), not a list: the download failed or asked for a login. Download it again.',
    )
  })
})
