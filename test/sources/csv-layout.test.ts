import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { csv } from '../../src/sources/csv.js'
import { type PlainRow, readRows } from './source-contract.js'

const first = '66f2a91c4be07d3f5c1e0001'
const second = '66f2a91c4be07d3f5c1e0002'

async function read(text: string): Promise<PlainRow[]> {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-layout-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'conversations.csv')
  writeFileSync(path, text)
  return readRows(csv, path)
}

const ids = (rows: readonly PlainRow[]) => rows.map((row) => row.id)

describe('the layout', () => {
  test.each([
    'conversation',
    'Conv ID',
    'Ada Conversation ID',
    'CONVERSATION_UUID',
    'Ada_Conversation_ID__c',
  ])('a column called %j is the one of the IDs, beside a column id', async (name) => {
    expect(ids(await read(`id,${name}\n7,${first}\n`))).toEqual([first])
  })

  test('a column called conversation that holds text is not', async () => {
    expect(ids(await read(`id,conversation\n${first},hello there\n`))).toEqual([first])
  })

  test('a line like sep=; says the separator', async () => {
    expect(await read(`sep=;\r\nconversation_id;name, first\r\n${first};a\r\n`)).toMatchObject([
      { id: first, line: 3 },
    ])
  })

  test.each([
    `Conversations on hold,,\n\nsince 2026,,\nname,conversation_id,x\nJane,${first},1\n`,
    `,,\nReport,,\nname,conversation_id,x\nJane,${first},1\n`,
    `Held conversations\nconversation_id\n${first}\n`,
  ])('lines of a title above the header are no rows: %j', async (text) => {
    const rows = await read(text)
    expect(ids(rows)).toEqual([first])
    expect(Object.keys(rows[0]!.record)).toContain('conversation_id')
  })

  test.each([`${first}\nconversation_id\n${second}\n`, `c1\nconversation_id\nc2\n`])(
    'an ID above a header is no title: %j',
    async (text) => expect(await read(text)).toHaveLength(2),
  )
})
