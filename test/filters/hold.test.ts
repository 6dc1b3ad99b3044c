import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { notOnHold, openHoldLists } from '../../src/filters/hold.js'
import { itemOf } from './items.js'

const first = '66f2a91c4be07d3f5c1e0001'
const second = '66f2a91c4be07d3f5c1e000b'

test('an ID on hold is turned away, any other is not', () => {
  const filter = notOnHold(new Set([first]))
  expect(filter.judge(itemOf({}, first))).toMatchObject({ reason: 'on_hold' })
  expect(filter.judge(itemOf({}, second))).toBeNull()
})

const conversation_ids = `["${first}","66f2a91c4be07d3f5c1e000A"]`

test.each([
  ['by the identifier, whatever its case', 'jane@example.com', 'Jane@Example.com', {}],
  [
    'by one of the conversations that the row names',
    '66f2a91c4be07d3f5c1e000a',
    'jane',
    { conversation_ids },
  ],
  ['by the end user of a conversation', 'jane', first, { end_user_id: 'Jane' }],
  ['by an end user with spaces around', 'jane', first, { end_user_id: ' jane ' }],
  ['by an end user that is a number', '12345', first, { end_user_id: 12345 }],
])('an end user is on hold %s', (_, held, id, record) => {
  expect(notOnHold(new Set([held])).judge(itemOf(record, id))).toMatchObject({ reason: 'on_hold' })
})

test.each([
  ['another identifier', {}],
  ['conversations that are not on hold', { conversation_ids }],
  ['a column that is none of ours', { conversation_ids: 'see the other sheet' }],
])('an end user with %s is not', (_, record) => {
  expect(notOnHold(new Set(['john@example.com'])).judge(itemOf(record, 'jane@example.com'))).toBeNull()
})

async function lists(text: string, settings: { holdColumn?: string; acceptsOddHold?: boolean } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-hold-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'legal.csv')
  writeFileSync(path, text)
  return openHoldLists(
    [{ name: 'legal.csv', path }],
    {},
    { holdColumn: null, acceptsOddHold: false, ...settings },
  )
}

/** Whether an item with this ID and record is on hold. */
async function isHeld(text: string, id: string, record: Record<string, unknown> = {}, settings = {}) {
  return (await lists(text, settings)).filter!.judge(itemOf(record, id)) !== null
}

describe('a hold list', () => {
  test.each([
    `conversation_id\n${second.toUpperCase()}\n`,
    `conversation_id\n'${second}\n`,
    `conversation_id\n="${second}"\n`,
    `conversation_id\n${second} (legal)\n`,
    `conversation_id\nObjectId(${second})\n`,
    `conversation_id,name\n,\n${second},Jane\n,,\n`,
    `id,conversation_id\n1,${second}\n`,
    `${second}\n`,
  ])('protects what it means: %j', async (text) => {
    expect(await isHeld(text, second)).toBe(true)
    expect(await isHeld(text, first)).toBe(false)
  })

  test('counts all columns of IDs, and no row numbers', async () => {
    const text = 'conversation_id,end_user_id\nzz,u1\n'
    expect(await isHeld(text, 'zz')).toBe(true)
    expect(await isHeld(text, 'a1', { end_user_id: 'U1' })).toBe(true)
    expect(await isHeld('id,end_user_id\n1,u1\n', '1')).toBe(false)
    expect(await isHeld('id,end_user_id\n1,u1\n', 'a1', { end_user_id: 'u1' })).toBe(true)
  })

  test('counts only the column that is given', async () => {
    const text = `conversation_id,other\n${first},${second}\n`
    expect(await isHeld(text, second, {}, { holdColumn: 'other' })).toBe(true)
    expect(await isHeld(text, first, {}, { holdColumn: '2' })).toBe(false)
  })

  test('with a row that cannot be an ID is refused with line and cure, unless that is accepted', async () => {
    const text = `conversation_id\n${first}\n5.0E+23\n`
    await expect(lists(text)).rejects.toThrow(
      /^--hold legal\.csv, line 3: "5\.0E\+23" is not an ID: Excel rounded.*--accept-odd-hold/,
    )
    const accepted = await lists(text, { acceptsOddHold: true })
    expect(accepted.matches()).toMatchObject([{ ids: 1 }])
  })

  test('with a row in a form that no ID of the input has is refused, unless that is accepted', async () => {
    const text = `conversation_id\n${first}\n12345\n`
    for (const acceptsOddHold of [false, true]) {
      const odd = await lists(text, { acceptsOddHold })
      odd.filter!.judge(itemOf({}, second))
      if (acceptsOddHold) expect(odd.matches()).toMatchObject([{ ids: 2, matching: 0 }])
      else
        expect(() => odd.matches()).toThrow(
          /^--hold legal\.csv, line 3: "12345" is digits, and no ID of the input is \(they are 24 hex digits\)/,
        )
    }
  })

  test('says how many of its IDs match, and where the first is that does not', async () => {
    const { filter, matches } = await lists(`conversation_id\n${first}\n${second}\n`)
    filter!.judge(itemOf({}, first))
    expect(matches()).toEqual([{ name: 'legal.csv', ids: 2, matching: 1, firstUnmatched: 3 }])
  })
})
