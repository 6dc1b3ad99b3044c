import { describe, expect, test } from 'vitest'
import { filterFlags, filtersFrom } from '../../src/filters/filter-flags.js'
import { UsageError } from '../../src/system/errors.js'
import { itemOf, wordOf } from './items.js'

const nowMs = Date.parse('2026-11-22T12:00:00Z')
const from = (flags: Record<string, string>) => filtersFrom(flags, { nowMs })

/** What the filters of these flags say of a record, the first that refuses. */
function judge(flags: Record<string, string>, record: Record<string, unknown>): string {
  const refusals = from(flags).map((filter) => filter.judge(itemOf(record)))
  return wordOf(refusals.find((refusal) => refusal !== null) ?? null)
}

const record = {
  date_created: '2026-10-01T09:00:00',
  date_updated: '2026-11-01T09:00:00',
  'Last seen': '2026-11-20',
  language: 'fr',
  platform: 'web',
  is_escalated: false,
  is_engaged: true,
  is_test_user: false,
  variables: { plan: 'gold', rule: 'a=b' },
}

test('no flags, no filters', () => {
  expect(from({})).toEqual([])
})

test.each([
  ['idle', '14d', 'take'],
  ['idle', '1d12h', 'take'],
  ['idle', '30d', 'filtered not_stale'],
  ['created-after', '2026-10-01', 'take'],
  ['created-after', '2026-10-01T11:00:00+02:00', 'take'],
  ['created-after', '2026-10-01T09:00:01Z', 'filtered created_too_early'],
  ['created-before', '2026-10-01T09:00:01', 'take'],
  ['created-before', '2026-10-01T09:00', 'filtered created_too_late'],
  ['created-before', '1790845201', 'take'],
  ['created-before', '52d', 'take'],
  ['created-before', '52d4h', 'filtered created_too_late'],
  ['created-after', '53d', 'take'],
  ['language', 'fr', 'take'],
  ['language', 'de, FR', 'take'],
  ['language', 'en', 'filtered other_language'],
  ['platform', 'ios,web', 'take'],
  ['platform', 'ios', 'filtered other_platform'],
  ['escalated', 'no', 'take'],
  ['escalated', 'yes', 'filtered not_escalated'],
  ['engaged', 'yes', 'take'],
  ['engaged', 'no', 'filtered engaged'],
  ['test-users', 'no', 'take'],
  ['test-users', 'only', 'filtered not_test_user'],
  ['variable', 'plan=gold', 'take'],
  ['variable', ' plan = gold ', 'take'],
  ['variable', 'rule=a=b', 'take'],
  ['variable', 'plan=silver', 'filtered other_variable'],
  ['where', 'language == "fr"', 'take'],
  ['where', 'is_escalated', 'filtered where'],
])('--%s %s: %s', (flag, value, word) => {
  expect(judge({ [flag]: value }, record)).toBe(word)
})

test.each([
  [{ escalated: 'no' }, { is_escalated: 'TRUE' }, 'filtered escalated'],
  [{ engaged: 'yes' }, { is_engaged: '0' }, 'filtered not_engaged'],
  [{ 'test-users': 'no' }, { is_test_user: 'yes' }, 'filtered test_user'],
  [{ 'test-users': 'only' }, { is_test_user: 't' }, 'take'],
])('%o of %o: %s', (flags, of, word) => {
  expect(judge(flags, of)).toBe(word)
})

test.each([
  ['idle', '14d', 'date_updated or updated_at, which --idle needs; --date-column NAME names another'],
  ['created-after', '2026-01-01', 'date_created or created_at, which --created-after needs'],
  ['created-before', '2026-01-01', 'date_created or created_at, which --created-before needs'],
  ['language', 'fr', 'language, which --language needs'],
  ['platform', 'web', 'platform, which --platform needs'],
  ['escalated', 'yes', 'is_escalated, which --escalated needs'],
  ['escalated', 'no', 'is_escalated, which --escalated needs'],
  ['engaged', 'no', 'is_engaged, which --engaged needs'],
  ['test-users', 'no', 'is_test_user, which --test-users needs'],
  ['test-users', 'only', 'is_test_user, which --test-users needs'],
  ['variable', 'plan=gold', 'variables.plan, which --variable needs'],
])('--%s %s of a record without the field is invalid, and says what it lacks', (flag, value, words) => {
  for (const filter of from({ [flag]: value })) {
    const refusal = { status: 'invalid', reason: 'bad_row', message: `has no ${words}` }
    expect(filter.judge(itemOf({}))).toEqual(refusal)
    const nothing = Object.fromEntries(
      Object.keys(record).map((name) => [name, name === 'variables' ? { plan: null } : null]),
    )
    expect(filter.judge(itemOf(nothing))).toEqual(refusal)
  }
})

test('--where says so in its own words', () => {
  expect(from({ where: 'language == "fr"' })[0]!.judge(itemOf({}))).toEqual({
    status: 'invalid',
    reason: 'bad_row',
    message: '--where: Unknown variable: language',
  })
})

test('--date-column replaces the usual fields', () => {
  expect(judge({ idle: '14d' }, record)).toBe('take')
  expect(judge({ idle: '14d', 'date-column': 'Last seen' }, record)).toBe('filtered not_stale')
  expect(judge({ idle: '14d', 'date-column': 'last seen' }, record)).toBe('invalid bad_row')
})

describe('a wrong value', () => {
  test.each([
    [{ idle: '14' }, '--idle 14: not a span of time. Write it like 30s, 5m, 2h, 1h30m or 14d.'],
    [{ idle: '0d' }, '--idle 0d: must be longer than nothing.'],
    [{ idle: '-14d' }, '--idle -14d: not a span of time. Write it like 30s, 5m, 2h, 1h30m or 14d.'],
    [{ idle: '2w' }, '--idle 2w: not a span of time. Write it like 30s, 5m, 2h, 1h30m or 14d.'],
    [{ 'date-column': 'Last seen' }, '--date-column Last seen: goes with --idle, which is not given.'],
    [
      { 'created-after': '31.1.2026' },
      '--created-after 31.1.2026: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.',
    ],
    [
      { 'created-before': '2026-02-30' },
      '--created-before 2026-02-30: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.',
    ],
    [
      { 'created-after': '2026-02-01', 'created-before': '2026-01-01' },
      '--created-after 2026-02-01 is not before --created-before 2026-01-01: swap them.',
    ],
    [{ language: '' }, '--language : write it like fr,de.'],
    [{ language: 'fr,,de' }, '--language fr,,de: write it like fr,de.'],
    [{ platform: ' , ' }, '--platform  , : write it like web,ios.'],
    [{ escalated: 'true' }, '--escalated true: write yes or no.'],
    [{ engaged: 'Yes' }, '--engaged Yes: write yes or no.'],
    [{ 'test-users': 'yes' }, '--test-users yes: write no or only.'],
    [{ variable: 'plan' }, '--variable plan: write it like plan=gold.'],
    [{ variable: '=gold' }, '--variable =gold: write it like plan=gold.'],
    [{ variable: 'plan=' }, '--variable plan=: write it like plan=gold.'],
    [{ variable: ' = ' }, '--variable  = : write it like plan=gold.'],
  ])('%o is refused: %s', (flags, message) => {
    expect(() => from(flags as Record<string, string>)).toThrow(new UsageError(message))
  })

  test('of --where is refused with the place in it', () => {
    expect(() => from({ where: 'language = "fr"' })).toThrow(
      /^--where: .*=.*, in language = "fr"\. Write it like /,
    )
  })
})

describe('several flags', () => {
  const all = {
    idle: '14d',
    'created-after': '2026-09-01',
    'created-before': '2026-11-01',
    language: 'fr',
    platform: 'web',
    escalated: 'no',
    engaged: 'yes',
    'test-users': 'no',
    variable: 'plan=gold',
    where: 'variables.rule == "a=b"',
  }

  test('are one filter each, dates first and --where last', () => {
    const names = [
      'idle',
      'created',
      'language',
      'platform',
      'is_escalated',
      'is_engaged',
      'is_test_user',
      'variables.plan',
      'where',
    ]
    expect(from(all).map(({ name }) => name)).toEqual(names)
    expect(Object.keys(all).concat('date-column').sort()).toEqual(Object.keys(filterFlags).sort())
  })

  test('have all to agree', () => {
    expect(judge(all, record)).toBe('take')
    const others = {
      language: 'en',
      platform: 'ios',
      is_escalated: true,
      is_engaged: false,
      is_test_user: true,
      variables: {},
    }
    for (const [field, value] of Object.entries(others))
      expect(judge(all, { ...record, [field]: value })).not.toBe('take')
  })

  test('say the reason of the first that refuses', () => {
    expect(judge(all, { ...record, date_updated: '2026-11-21T00:00:00', language: 'en' })).toBe(
      'filtered not_stale',
    )
    expect(judge(all, { ...record, language: 'en', is_test_user: true })).toBe('filtered other_language')
    expect(judge(all, { ...record, date_updated: '', language: 'en' })).toBe('invalid bad_row')
  })
})
