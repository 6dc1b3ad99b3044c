import { describe, expect, test } from 'vitest'
import {
  changedSettings,
  instanceOrigin,
  namedFiles,
  newSettings,
  requiredInput,
  requiredKey,
  runsDirectory,
  stopLimits,
} from '../../src/commands/settings.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { UsageError } from '../../src/system/errors.js'

const settingsOf = (flags: Parameters<typeof newSettings>[0]) =>
  newSettings(flags, { operation: endConversation })

describe('the settings of a run', () => {
  test('are the defaults of the contract, with the operation’s own limits', () => {
    expect(settingsOf({})).toMatchObject({
      format: 'auto',
      idColumn: null,
      limits: endConversation.limits,
      share: 0.8,
      hours: null,
      concurrency: 16,
      timeoutMs: 30_000,
      attemptsMax: 5,
      maxFailures: { count: null, ratio: 0.25 },
      maxOutageMs: 300_000,
    })
  })

  test('are what the flags say', () => {
    const flags = {
      ...{
        format: 'csv' as const,
        'id-column': '2',
        limit: ['10/s'],
        share: '50%',
        hours: '22:00-06:00',
        concurrency: '4',
      },
      ...{ timeout: '5s', attempts: '2', 'max-failures': '10', 'max-outage': '1h' },
    }
    expect(settingsOf(flags)).toMatchObject({
      format: 'csv',
      idColumn: '2',
      limits: [{ max: 10, perMs: 1000 }],
      share: 0.5,
      hours: { fromMinute: 1320, toMinute: 360 },
      concurrency: 4,
      timeoutMs: 5000,
      attemptsMax: 2,
      maxFailures: { count: 10, ratio: null },
      maxOutageMs: 3_600_000,
    })
  })

  test('of a resumed run stay, but for what the flags change', () => {
    const before = settingsOf({ limit: ['10/s'], share: '50%' })
    expect(changedSettings(before, {})).toEqual(before)
    expect(changedSettings(before, { share: '20%' })).toEqual({ ...before, share: 0.2 })
  })

  test.each([
    ['concurrency', '0'],
    ['concurrency', '1001'],
    ['attempts', '0'],
    ['attempts', '101'],
    ['timeout', '0s'],
    ['timeout', '30d'],
    ['max-outage', '0s'],
  ])('are refused beyond their bounds: --%s %s', (flag, value) => {
    expect(() => settingsOf({ [flag]: value })).toThrow(UsageError)
    expect(() => settingsOf({ [flag]: value })).toThrow(`--${flag} ${value}: `)
  })
})

test('how far a run goes is not limited, unless a flag says so', () => {
  expect(stopLimits({} as Parameters<typeof stopLimits>[0])).toEqual({
    maxItems: Number.POSITIVE_INFINITY,
    maxDurationMs: null,
  })
  const flags = { 'max-items': '10', 'max-duration': '2h' } as Parameters<typeof stopLimits>[0]
  expect(stopLimits(flags)).toEqual({ maxItems: 10, maxDurationMs: 7_200_000 })
})

describe('the instance', () => {
  const originOf = (flags: object, environment: Record<string, string> = {}) =>
    instanceOrigin(flags as Parameters<typeof instanceOrigin>[0], environment)
  const environment = { ADA_BASE_URL: 'https://environment.ada.support/api' }

  test('is the one of the flags, else of the environment, else none', () => {
    expect(originOf({ 'base-url': 'acme.ada.support' }, environment)).toBe('https://acme.ada.support')
    expect(originOf({ handle: 'acme', region: 'eu' }, environment)).toBe('https://acme.eu.ada.support')
    expect(originOf({}, environment)).toBe('https://environment.ada.support')
    expect(originOf({}, { ADA_BASE_URL: '' })).toBeNull()
    expect(originOf({})).toBeNull()
  })

  test('is named once', () => {
    expect(() => originOf({ 'base-url': 'acme.ada.support', handle: 'acme' })).toThrow(UsageError)
    expect(() => originOf({ 'base-url': 'acme.ada.support', region: 'eu' })).toThrow(UsageError)
  })

  test('of the environment that cannot be used is blamed on the environment', () => {
    expect(() => originOf({}, { ADA_BASE_URL: 'http://acme.ada.support' })).toThrow(/^ADA_BASE_URL/)
  })
})

test('a missing key is answered with every way to give one', () => {
  const flags = {} as Parameters<typeof requiredKey>[0]
  expect(requiredKey(flags, { ADA_API_KEY: 'ada-key' })).toBe('ada-key')
  expect(() => requiredKey(flags, {})).toThrow(UsageError)
  expect(() => requiredKey(flags, {})).toThrow(/ADA_API_KEY.*--api-key-file.*--sandbox/)
})

test('files keep the name that the person gave and lie where that leads', () => {
  expect(namedFiles(undefined)).toEqual([])
  expect(namedFiles(['lists/a.csv', '/in/b.csv'])).toEqual([
    { name: 'lists/a.csv', path: `${process.cwd()}/lists/a.csv` },
    { name: '/in/b.csv', path: '/in/b.csv' },
  ])
})

test('an input has to be named', () => {
  const flagsOf = (input?: string[]) => ({ input }) as Parameters<typeof requiredInput>[0]
  expect(requiredInput(flagsOf(['-']))).toEqual(['-'])
  for (const flags of [flagsOf(), flagsOf([])]) expect(() => requiredInput(flags)).toThrow(UsageError)
})

test('runs live where the flag says, else the environment, else in runs', () => {
  expect(runsDirectory({ 'runs-dir': '/a' }, { ADA_BULK_RUNS: '/b' })).toBe('/a')
  expect(runsDirectory({}, { ADA_BULK_RUNS: '/b' })).toBe('/b')
  expect(runsDirectory({}, { ADA_BULK_RUNS: '' })).toBe('runs')
  expect(runsDirectory({}, {})).toBe('runs')
})
