import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inLimit } from '../../src/settings/limits.js'
import { parseLimits } from '../../src/settings/values.js'
import { counted, inClock, inDigits, inTime } from '../../src/system/text.js'

test.each([
  [0, '0'],
  [999, '999'],
  [39_988, '39,988'],
  [10_000_000, '10,000,000'],
])('%i is written %s', (number, text) => {
  expect(inDigits(number)).toBe(text)
})

test('only one of a thing is without its s', () => {
  expect(counted(0, 'conversation')).toBe('0 conversations')
  expect(counted(1, 'conversation')).toBe('1 conversation')
  expect(counted(39_988, 'conversation')).toBe('39,988 conversations')
})

test.each([
  [-5, '0 s'],
  [0, '0 s'],
  [499, '0 s'],
  [500, '1 s'],
  [45_000, '45 s'],
  [59_600, '1 min'],
  [725_000, '12 min 5 s'],
  [3_600_000, '1 h'],
  [3_605_000, '1 h'],
  [2 * 3_600_000 + 46 * 60_000 + 59_000, '2 h 46 min'],
  [3 * 86_400_000 + 4 * 3_600_000, '3 d 4 h'],
  [86_400_000 + 59_000, '1 d'],
  [400 * 86_400_000, '400 d'],
])('%i ms are %s', (ms, text) => {
  expect(inTime(ms)).toBe(text)
})

test.each([
  [{ max: 30, perMs: 1000 }, '30/s'],
  [{ max: 300, perMs: 60_000 }, '300/m'],
  [{ max: 40, perMs: 6000 }, '40/6s'],
  [{ max: 40, perMs: 60_000 * 6 }, '40/6m'],
  [{ max: 10, perMs: 3_600_000 }, '10/h'],
  [{ max: 60_000, perMs: 86_400_000 }, '60000/d'],
  [{ max: 1, perMs: 1500 }, '1/1500ms'],
  [{ max: 1, perMs: 1 }, '1/ms'],
])('%o is written %s', (window, text) => {
  expect(inLimit(window)).toBe(text)
})

test('what a limit is written as is what --limit takes', () => {
  const window = fc.record({
    max: fc.integer({ min: 1, max: 1_000_000 }),
    perMs: fc.oneof(
      fc.integer({ min: 1, max: 100_000_000 }),
      fc.integer({ min: 1, max: 90 }).map((minutes) => minutes * 60_000),
    ),
  })
  fc.assert(
    fc.property(window, (one) => {
      expect(parseLimits([inLimit(one)])).toEqual([one])
    }),
  )
})

let zone: string | undefined
beforeAll(() => {
  zone = process.env.TZ
  process.env.TZ = 'Europe/Berlin'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

test.each([
  ['2026-11-22T18:12:40', '2026-11-22T09:00:00', /^18:12$/],
  ['2026-11-22T00:05:00', '2026-11-22T00:04:00', /^00:05$/],
  ['2026-11-24T18:12:00', '2026-11-22T09:00:00', /^Tue,? 24 Nov, 18:12$/],
  ['2026-11-23T00:00:00', '2026-11-22T23:59:59', /^Mon,? 23 Nov, 00:00$/],
  // The same day of the month, a year on.
  ['2027-11-22T18:12:00', '2026-11-22T09:00:00', /^Mon,? 22 Nov, 18:12$/],
])('at %s, seen from %s, is told as %s', (at, now, text) => {
  expect(inClock(new Date(at), new Date(now))).toMatch(text)
})
