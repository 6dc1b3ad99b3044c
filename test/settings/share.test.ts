import { expect, test } from 'vitest'
import { nextShareMs, shareAt, shareText } from '../../src/settings/share.js'
import { parseShares } from '../../src/settings/values.js'

const at = (hour: number, minute = 0) => new Date(2026, 10, 23, hour, minute)

test.each([
  [0, 0.8],
  [7, 0.8],
  [8, 0.3],
  [19, 0.3],
  [20, 0.8],
])('a timetable gives the share of the hour: %i', (hour, share) => {
  expect(shareAt(parseShares('08:00-20:00=30%,else=80%'), at(hour))).toBe(share)
})

test('the first span that holds counts, and a span may pass midnight', () => {
  const share = parseShares('22:00-06:00=90, 05:00-12:00=10%,else=50%')
  expect([23, 5, 6, 12].map((hour) => shareAt(share, at(hour)))).toEqual([0.9, 0.9, 0.1, 0.5])
  expect(shareText(share)).toBe('22:00-06:00=90%,05:00-12:00=10%,else=50%')
  expect(parseShares(shareText(share))).toEqual(share)
  expect(nextShareMs(share, at(23))).toBe(new Date(2026, 10, 24, 5).getTime())
})

test('a percentage is the same all day', () => {
  expect(parseShares('30%')).toBe(0.3)
  expect(shareAt(0.3, at(3))).toBe(0.3)
  expect(nextShareMs(0.3, at(3))).toBe(Number.POSITIVE_INFINITY)
})

test.each([
  '08:00-20:00=30%',
  'else=80%',
  '08:00-20:00=0%,else=80%',
  '8=30%,else=80%',
  '=,else=80%',
  'else=80%,08:00-20:00=30%',
])('%s is no timetable', (text) => {
  expect(() => parseShares(text)).toThrow('--share ')
})
