import { describe, expect, test } from 'vitest'
import { endConversation } from '../../src/operations/end-conversation.js'
import {
  changedSettings,
  newSettings,
  runSettings,
  settingFlags,
  stopLimits,
} from '../../src/settings/run-settings.js'
import { UsageError } from '../../src/system/errors.js'

const settingsOf = (flags: Parameters<typeof newSettings>[0]) =>
  newSettings(flags, { operation: endConversation })

describe('the settings of a run', () => {
  test('are the defaults of the contract, with the operation’s own limits', () => {
    expect(settingsOf({})).toMatchObject({
      format: 'auto',
      idColumn: null,
      limits: endConversation.limits,
      caps: [],
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
        'api-limit': ['10/s'],
        limit: ['100/h', '5/s'],
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
      caps: [
        { max: 100, perMs: 3_600_000 },
        { max: 5, perMs: 1000 },
      ],
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
    const before = settingsOf({ 'api-limit': ['10/s'], limit: ['5/s'], share: '50%' })
    expect(changedSettings(before, {})).toEqual(before)
    expect(changedSettings(before, { share: '20%' })).toEqual({ ...before, share: 0.2 })
  })

  test('that the run is too old to have are the defaults', () => {
    const { maxOutageMs: _, caps: ___, ...older } = settingsOf({})
    expect(runSettings.parse(older)).toEqual(settingsOf({}))
    const { limits: __, ...damaged } = settingsOf({})
    expect(runSettings.safeParse(damaged).success).toBe(false)
    expect(runSettings.safeParse({ ...settingsOf({}), share: 2 }).success).toBe(false)
  })

  test('each have a flag; the input is read as at the start of the run', () => {
    expect(Object.keys(settingFlags)).toEqual(Object.keys(settingsOf({})))
    const before = settingsOf({})
    expect(changedSettings(before, { format: 'csv', 'id-column': '2', 'accept-truncated': true })).toEqual(
      before,
    )
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
  expect(stopLimits({})).toMatchObject({
    maxItems: Number.POSITIVE_INFINITY,
    maxDurationMs: null,
  })
  expect(stopLimits({ 'max-items': '10', 'max-duration': '2h' })).toMatchObject({
    maxItems: 10,
    maxDurationMs: 7_200_000,
  })
})
