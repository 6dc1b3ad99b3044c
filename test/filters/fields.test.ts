import { describe, expect, test } from 'vitest'
import { fieldIsOneOf, flagIs, variableEquals } from '../../src/filters/fields.js'
import { notOnHold } from '../../src/filters/hold.js'
import { notSettledBefore } from '../../src/filters/settled-before.js'
import { itemOf, itemsIn, wordOf } from './items.js'

describe('a field that is one of', () => {
  const judge = (record: Record<string, unknown>) =>
    fieldIsOneOf('language', ['FR', ' de ']).judge(itemOf(record))

  test.each([
    ['fr', 'take'],
    [' Fr ', 'take'],
    ['DE', 'take'],
    ['en', 'filtered other_language'],
    ['fr-CA', 'filtered other_language'],
  ])('fr, de: %j %s', (language, word) => {
    expect(wordOf(judge({ language }))).toBe(word)
  })

  test.each([[{}], [{ language: null }], [{ language: '' }], [{ language: '  ' }], [{ Language: 'fr' }]])(
    'cannot be said of %j',
    (record) => {
      expect(judge(record)).toEqual({
        status: 'invalid',
        reason: 'bad_row',
        message: 'has no language, which --language needs',
      })
    },
  )

  test('cannot be said of a list, nor of what every object of JavaScript has', () => {
    expect(judge({ language: ['fr'] })).toMatchObject({
      message: 'language is not text, which --language needs: ["fr"]',
    })
    expect(fieldIsOneOf('constructor', ['fr']).judge(itemOf({}))).toMatchObject({
      status: 'invalid',
      message: 'has no constructor, which --constructor needs',
    })
  })
})

describe('a yes-or-no field', () => {
  const yes = [true, 1, 'true', 'TRUE', 'True', ' t ', 'T', 'yes', 'Y', '1']
  const no = [false, 0, 'false', 'FALSE', 'False', 'f', 'no', 'N', '0']
  const only = flagIs('is_escalated', true, '--escalated', 'not_escalated')
  const others = flagIs('is_escalated', false, '--escalated', 'escalated')

  test.each([
    ...yes.map((value) => [value, 'take', 'filtered escalated']),
    ...no.map((value) => [value, 'filtered not_escalated', 'take']),
  ])('of %j: if wanted %s, if not %s', (is_escalated, wanted, unwanted) => {
    expect(wordOf(only.judge(itemOf({ is_escalated })))).toBe(wanted)
    expect(wordOf(others.judge(itemOf({ is_escalated })))).toBe(unwanted)
  })

  test.each([undefined, null, '', ' '])('that is %j is invalid, whatever is wanted', (is_escalated) => {
    for (const filter of [only, others])
      expect(filter.judge(itemOf({ is_escalated }))).toEqual({
        status: 'invalid',
        reason: 'bad_row',
        message: 'has no is_escalated, which --escalated needs',
      })
  })

  test.each([
    ['maybe', '"maybe"'],
    [2, '2'],
    [[], '[]'],
    ['tru', '"tru"'],
  ])('that is %j is invalid, and is shown', (is_escalated, shown) => {
    expect(others.judge(itemOf({ is_escalated }))).toMatchObject({
      status: 'invalid',
      message: `is_escalated is not true or false, which --escalated needs: ${shown}`,
    })
  })
})

describe('a variable', () => {
  const judge = (record: Record<string, unknown>, name = 'plan', value = 'gold') =>
    variableEquals(name, value).judge(itemOf(record))

  test.each([
    [{ variables: { plan: 'gold' } }, 'take'],
    [{ variables: { plan: ' gold ' } }, 'take'],
    [{ variables: { plan: 'Gold' } }, 'filtered other_variable'],
    [{ variables: { plan: 'silver' } }, 'filtered other_variable'],
    [{ 'variables.plan': 'gold' }, 'take'],
    [{ 'variables.plan': 'silver' }, 'filtered other_variable'],
    [{ variables: {}, 'variables.plan': 'gold' }, 'take'],
    [{ plan: 'gold' }, 'invalid bad_row'],
    [{ variables: null }, 'invalid bad_row'],
    [{ variables: '{"plan":"gold"}' }, 'invalid bad_row'],
    [{ variables: { plan: '' } }, 'invalid bad_row'],
    [{ variables: { plan: { is: 'gold' } } }, 'invalid bad_row'],
  ])('plan=gold: %j %s', (record, word) => {
    expect(wordOf(judge(record))).toBe(word)
  })

  test('is compared as text', () => {
    expect(judge({ variables: { seats: 3 } }, 'seats', '3')).toBeNull()
    expect(judge({ variables: { vip: true } }, 'vip', 'true')).toBeNull()
    expect(wordOf(judge({ variables: { seats: 30 } }, 'seats', '3'))).toBe('filtered other_variable')
  })

  test('that is missing is named', () => {
    expect(judge({})).toEqual({
      status: 'invalid',
      reason: 'bad_row',
      message: 'has no variables.plan, which --variable needs',
    })
  })

  test.each(['constructor', '__proto__', 'toString', 'length'])(
    'called %s is the record’s own, or missing',
    (name) => {
      for (const variables of [{}, 'tx', null])
        expect(wordOf(judge({ variables }, name, '2'))).toBe('invalid bad_row')
      const own = JSON.parse(`{"variables":{"${name}":"2"}}`)
      expect(judge(own, name, '2')).toBeNull()
    },
  )

  test('is the same in a record of Data Export and in a CSV made of it', async () => {
    const json =
      '{"_id":"c1","variables":{"plan":"gold"}}\n{"_id":"c2","variables":{"plan":"free"}}\n{"_id":"c3","variables":{}}'
    const table = '_id,variables.plan\nc1,gold\nc2,free\nc3,\n'
    for (const text of [json, table]) {
      const items = await itemsIn(text)
      expect(items.map((item) => wordOf(variableEquals('plan', 'gold').judge(item)))).toEqual([
        'take',
        'filtered other_variable',
        'invalid bad_row',
      ])
    }
  })
})

test('what is on hold is turned away by its ID, whatever its record lacks', () => {
  const hold = notOnHold(new Set(['66f2a91c4be07d3f5c1e0001']))
  expect(hold.judge(itemOf({}))).toEqual({ status: 'filtered', reason: 'on_hold', message: '' })
  expect(hold.judge({ ...itemOf({}), id: '66f2a91c4be07d3f5c1e0002' })).toBeNull()
})

test('what was settled before is turned away, by when it was last touched', () => {
  const asked: unknown[] = []
  const memory = (isSettled: boolean) => ({
    isSettled(...about: unknown[]) {
      asked.push(about)
      return isSettled
    },
  })
  const item = itemOf({ date_updated: '2026-01-31T08:00:00' })
  expect(wordOf(notSettledBefore(memory(true)).judge(item))).toBe('filtered settled_before')
  expect(notSettledBefore(memory(false)).judge(itemOf({}))).toBeNull()
  expect(asked).toEqual([
    [item.id, Date.parse('2026-01-31T08:00:00Z')],
    [item.id, null],
  ])
})
