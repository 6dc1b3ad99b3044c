import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { where } from '../../src/filters/where.js'
import { UsageError } from '../../src/system/errors.js'
import { itemOf, itemsIn, wordOf } from './items.js'

const record = {
  _id: '66f2a91c4be07d3f5c1e0001',
  language: 'fr',
  date_updated: '2026-01-31T08:00:00.123456',
  is_escalated: false,
  is_test_user: 'True',
  csat: null,
  turns: 5,
  seats: '5',
  agent_name: ['Amara', 'Noé'],
  variables: { plan: 'gold', seats: 3 },
}
const judge = (expression: string, of: Record<string, unknown> = record) =>
  where(expression).judge(itemOf(of))
const refusalOf = (expression: string) => {
  try {
    where(expression)
    return 'none'
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError)
    return (error as Error).message
  }
}

const zone = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'America/New_York'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test.each([
  'true',
  'language == "fr"',
  'language == "fr" && variables.plan != "silver"',
  'language in ["fr", "de"] && !is_escalated',
  'is_escalated == false',
  'variables["plan"] == "gold"',
  'has(variables.plan) && !has(variables.vip)',
  'turns > 3 && turns == 5 && turns == 5.0 && variables.seats <= 3',
  'int(seats) == 5',
  'csat == null',
  'size(agent_name) == 2 && "Amara" in agent_name && agent_name.exists(name, name.startsWith("No"))',
  'language.matches("^f.$")',
  'language == "fr" || missing == 1',
  '_id.startsWith("66f2")',
  // Ada leaves out the offset: it is UTC, wherever this runs.
  'timestamp(date_updated) < timestamp("2026-01-31T08:00:01Z")',
  'timestamp(date_updated) > timestamp("2026-01-31T08:00:00Z")',
  'timestamp(date_updated).getHours() == 8',
])('%s is true of the record, which is taken', (expression) => {
  expect(judge(expression)).toBeNull()
})

test.each([
  'false',
  'language == "en"',
  'is_escalated',
  'turns > 5',
  '!has(variables.plan)',
  'csat != null',
  'turns != 5',
])('%s is false, and leaves the record out', (expression) => {
  expect(judge(expression)).toEqual({ status: 'filtered', reason: 'where', message: '' })
})

test.each([
  ['missing == 1', '--where: Unknown variable: missing'],
  ['missing != 1', '--where: Unknown variable: missing'],
  ['!missing', /^--where: .*missing/],
  ['variables.vip == "yes"', '--where: No such key: vip'],
  ['variables.plan.kind == "yes"', /^--where: No such key: kind/],
  ['language', '--where: gives text, neither true nor false'],
  ['turns', '--where: gives a number, neither true nor false'],
  ['csat', '--where: gives a value, neither true nor false'],
  ['turns > "3"', /^--where: no such overload/],
  ['language < 3', /^--where: no such overload/],
  ['int(language) == 3', /^--where: /],
  ['timestamp(language) > timestamp("2026-01-31T08:00:00Z")', /^--where: timestamp/],
  ['turns / 0.0 > 1.0 && 1 / 0 == 1', /^--where: division by zero/],
  ['language.matches("[")', /^--where: Invalid regular expression/],
  ['agent_name[7] == "Amara"', /^--where: .*out of bounds/],
  // Otherwise these would be true of anything, and take what is to be left out.
  ['is_test_user != true', '--where: compares text with true or false'],
  ['true == is_test_user', '--where: compares text with true or false'],
  ['seats != 5', '--where: compares text with a number'],
  ['seats == 5.0', '--where: compares text with a number'],
  ['is_escalated != 1', '--where: compares true or false with a number'],
])('%s cannot be said of the record, which is invalid: %s', (expression, message) => {
  expect(judge(expression)).toEqual({
    status: 'invalid',
    reason: 'bad_row',
    message: typeof message === 'string' ? message : expect.stringMatching(message),
  })
})

describe('an expression', () => {
  test.each([
    ...[
      '',
      ' ',
      'language =',
      'language = "fr"',
      'language == "fr',
      '(language == "fr"',
      'a b',
      '&& true',
      'a ? b',
      '{',
      '"',
    ],
    ...[
      'language == "fr"; true',
      'x => x',
      'function() {}',
      '`1`',
      'import("node:fs")',
      'new Date()',
      'var x = 1',
    ],
    // What can never be true or false.
    ...[
      '"fr"',
      '1 + 1',
      '[true]',
      '{"a": true}',
      '1 + "a" == 2',
      'sizze(language) > 1',
      'language.foo()',
      'has(language)',
    ],
  ])('%j is refused', (expression) => {
    expect(refusalOf(expression)).toMatch(/^--where: .+, in .* Write it like `language == "fr"/)
  })

  test.each([
    ['brackets', (times: number) => `${'('.repeat(times)}true${')'.repeat(times)}`],
    ['lists', (times: number) => `${'['.repeat(times)}${']'.repeat(times)} == 1`],
    ['maps', (times: number) => `${'{"a":'.repeat(times)}1${'}'.repeat(times)} == 1`],
    ['negations', (times: number) => `${'!'.repeat(times)}true`],
    ['minus signs', (times: number) => `${'-'.repeat(times)}1 == 1`],
    ['fields', (times: number) => `a${'.a'.repeat(times)}`],
    ['indexes', (times: number) => `a${'[0]'.repeat(times)}`],
    ['calls', (times: number) => `${'size('.repeat(times)}a${')'.repeat(times)} == 1`],
    ['methods', (times: number) => `a${'.size()'.repeat(times)} == 1`],
    ['ors', (times: number) => `${'a||'.repeat(times)}a`],
    ['sums', (times: number) => `${'1+'.repeat(times)}1 == 1`],
    ['choices', (times: number) => `${'a?a:'.repeat(times)}a`],
    ['macros', (times: number) => `${'[1].all(x,'.repeat(times)}true${')'.repeat(times)}`],
    ['open brackets', (times: number) => '('.repeat(times)],
  ])('of very many %s neither hangs nor overflows', (_, expression) => {
    const startMs = performance.now()
    for (const times of [20, 45, 300, 1200, 1_000_000]) {
      const text = expression(times)
      const shown = refusalOf(text)
      if (times === 1_000_000) expect(shown).toContain('longer than 10000 characters')
      expect(shown.length).toBeLessThan(600)
      const judged = shown === 'none' ? judge(text, { a: {} }) : null
      expect(`${shown} ${judged?.message}`).not.toMatch(/call stack/)
    }
    // Where the stack is nearly full the library must not overflow, either.
    refusalOf(expression(9990).slice(0, 9990))
    expect(performance.now() - startMs).toBeLessThan(2000)
  })

  test('may be as long as a list of a few hundred names', () => {
    const names = Array.from({ length: 500 }, (_, index) => `"name-${index}"`)
    expect(judge(`language in [${names.join(', ')}, "fr"]`)).toBeNull()
  })
})

describe('an expression sees the record and nothing else', () => {
  test.each([
    ...[
      'constructor',
      'toString',
      'hasOwnProperty',
      'valueOf',
      'this',
      'self',
      'globalThis',
      'process',
      'console',
    ],
    ...['record', 'size', 'get', 'entries'],
  ])('%s is no variable', (name) => {
    for (const expression of [`${name} == ${name}`, name, `${name}.x == 1`, `has(${name}.x)`])
      expect(judge(expression)).toMatchObject({
        status: 'invalid',
        message: `--where: Unknown variable: ${name}`,
      })
  })

  test.each([
    ...[
      '__proto__ == 1',
      'prototype == 1',
      'constructor("return 1")() == 1',
      'require("fs") == 1',
      'eval("1") == 1',
    ],
    ...[
      'language.constructor("return process")() == 1',
      'variables.toString() == ""',
      'variables.hasOwnProperty("plan")',
    ],
  ])('%s is no expression', (expression) => {
    expect(refusalOf(expression)).toContain('--where:')
  })

  test.each(['variables', 'agent_name', 'language', 'turns'])('and nothing of JavaScript in %s', (name) => {
    for (const inner of ['constructor', '__proto__', 'length', 'toString']) {
      for (const expression of [
        `${name}.${inner} == 1`,
        `${name}["${inner}"] == 1`,
        `${name}.${inner}.${inner} == "x"`,
      ])
        expect(wordOf(judge(expression))).toBe('invalid bad_row')
    }
  })

  test('and calls no function that a record holds', () => {
    let isCalled = false
    const trap = () => {
      isCalled = true
      return true
    }
    const of = { trap, inner: { trap }, get: trap, at: { valueOf: trap, toString: trap, toJSON: trap } }
    for (const expression of [
      'trap',
      'trap == 1',
      'inner.trap',
      'inner.trap == true',
      'get == 1',
      'at == 1',
      'at.valueOf',
      'string(at) == "x"',
    ])
      expect(wordOf(judge(expression, of))).toMatch(/^(invalid bad_row|filtered where)$/)
    for (const expression of ['trap()', 'inner.trap()', 'at.valueOf()'])
      expect(refusalOf(expression)).toContain('--where:')
    expect(isCalled).toBe(false)
  })

  test('whatever the fields of the record are called', () => {
    const of = JSON.parse(
      '{"__proto__":{"polluted":true},"constructor":"c","get":"g","record":"r","has":"h"}',
    )
    expect(judge('constructor == "c" && get == "g" && record == "r"', of)).toBeNull()
    expect(wordOf(judge('polluted', of))).toBe('invalid bad_row')
    expect(
      wordOf(judge('polluted == true', JSON.parse('{"variables":{"__proto__":{"polluted":true}}}'))),
    ).toBe('invalid bad_row')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })

  test('and leaves it as it was', () => {
    const before = structuredClone(record)
    judge('agent_name.map(name, name + "x").size() == 2 && variables.plan == "gold"')
    expect(record).toEqual(before)
  })
})

test('a CSV made from an export is read as the export, its text as text', async () => {
  const table =
    '_id,language,variables.plan,variables.home.city,is_escalated\nc1,fr,gold,Lyon,False\nc2,de,,,True\n'
  const [first, second] = await itemsIn(table)
  const expression = 'variables.plan == "gold" && variables["home.city"] == "Lyon" && is_escalated == "False"'
  expect(where(expression).judge(first!)).toBeNull()
  expect(wordOf(where(expression).judge(second!))).toBe('filtered where')
  expect(where('variables.seats == "3"').judge(first!)).toMatchObject({
    message: '--where: No such key: seats',
  })
  expect(where('is_escalated == false').judge(first!)).toMatchObject({
    status: 'invalid',
    message: '--where: compares text with true or false',
  })
})

test('one expression judges records one after another, each by itself', () => {
  const { judge } = where('turns > 3')
  const of = (turns: unknown) => wordOf(judge(itemOf({ turns })))
  expect([of(5), of('5'), of(1), of(5), of(undefined), of(4)]).toEqual([
    'take',
    'invalid bad_row',
    'filtered where',
    'take',
    'invalid bad_row',
    'take',
  ])
})
