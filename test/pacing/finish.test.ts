import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { finishMs } from '../../src/pacing/finish.js'
import { msUntilOpen } from '../../src/settings/hours.js'
import { parseHours } from '../../src/settings/values.js'

const minuteMs = 60_000
const hourMs = 60 * minuteMs

describe('when work is done', () => {
  const zone = process.env.TZ
  beforeAll(() => {
    process.env.TZ = 'Europe/Berlin'
  })
  afterAll(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  const at = (time: string) => new Date(time).getTime()

  test('is right away plus the work where any hour will do', () => {
    expect(finishMs(at('2026-11-20T23:00:00'), 30 * hourMs, null)).toBe(at('2026-11-22T05:00:00'))
  })

  test.each([
    // hours, from, hours of work, until
    ['09:00-17:00', '2026-11-20T10:00:00', 0, '2026-11-20T10:00:00'],
    ['09:00-17:00', '2026-11-20T08:00:00', 0, '2026-11-20T09:00:00'],
    ['09:00-17:00', '2026-11-20T10:00:30', 1, '2026-11-20T11:00:30'],
    ['09:00-17:00', '2026-11-20T10:00:00', 7, '2026-11-20T17:00:00'],
    ['09:00-17:00', '2026-11-20T10:00:00', 8, '2026-11-21T10:00:00'],
    ['09:00-17:00', '2026-11-20T18:00:00', 17, '2026-11-23T10:00:00'],
    ['22:00-06:00', '2026-11-20T21:00:00', 1, '2026-11-20T23:00:00'],
    ['22:00-06:00', '2026-11-20T23:00:00', 8, '2026-11-21T23:00:00'],
    ['22:00-06:00', '2026-11-21T05:00:00', 2, '2026-11-21T23:00:00'],
    ['18:00-24:00', '2026-11-20T23:00:00', 2, '2026-11-21T19:00:00'],
    ['00:00-24:00', '2026-11-20T12:00:00', 40, '2026-11-22T04:00:00'],
    // The night in which the clocks go forward has one hour less, the other one more.
    ['22:00-06:00', '2026-03-28T22:00:00', 8, '2026-03-29T23:00:00'],
    ['22:00-06:00', '2026-10-24T22:00:00', 9, '2026-10-25T06:00:00'],
  ])('within %s, from %s, %i hours long, is %s', (hours, from, workHours, until) => {
    const done = finishMs(at(from), workHours * hourMs, parseHours(hours))
    expect(new Date(done).toString()).toBe(new Date(until).toString())
  })

  test('is what going through every minute gives', () => {
    const minute = fc.oneof(fc.integer({ min: 0, max: 59 }), fc.integer({ min: 5 * 60, max: 1439 }))
    const span = fc
      .record({ fromMinute: minute, toMinute: minute })
      .filter(({ fromMinute, toMinute }) => Math.abs(fromMinute - toMinute) > 20)
    const start = fc
      .integer({ min: 0, max: 370 * 1440 })
      .map((minutes) => at('2026-01-01T00:00:00') + minutes * minuteMs)
    fc.assert(
      fc.property(span, start, fc.integer({ min: 1, max: 900 }), (hours, startMs, workMinutes) => {
        let atMs = startMs
        for (let left = workMinutes; left > 0; atMs += minuteMs) {
          if (msUntilOpen(hours, new Date(atMs)) === 0) left -= 1
          else atMs += Math.max(0, msUntilOpen(hours, new Date(atMs)) - minuteMs)
        }
        expect(finishMs(startMs, workMinutes * minuteMs, hours)).toBe(atMs)
      }),
      { numRuns: 60 },
    )
  })
})
