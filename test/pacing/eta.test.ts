import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { sharedWindows } from '../../src/pacing/allowance.js'
import { estimateMs, finishMs } from '../../src/pacing/eta.js'
import { msUntilOpen } from '../../src/settings/hours.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { parseHours } from '../../src/settings/values.js'

const second = { max: 30, perMs: 1000 }
const minute = { max: 300, perMs: 60_000 }
const day = { max: 60_000, perMs: 86_400_000 }

/** One call after the other, as early as all windows allow. */
function simulatedMs(calls: number, windows: readonly RateWindow[]): number {
  const starts: number[] = []
  for (let call = 0; call < calls; call++) {
    const earliest = windows.map(({ max, perMs }) => (call < max ? 0 : starts[call - max]! + perMs))
    starts.push(Math.max(starts.at(-1) ?? 0, ...earliest))
  }
  return starts.at(-1) ?? 0
}

describe('the estimate', () => {
  it.each([
    [0, [second], 1, 0],
    [1, [second], 1, 0],
    [30, [second], 1, 0],
    [31, [second], 1, 1000],
    [300, [second, minute], 1, 9000],
    [301, [second, minute], 1, 60_000],
    [600, [second, minute], 1, 69_000],
    [240, [second, minute], 0.8, 9000],
    [241, [second, minute], 0.8, 60_000],
    [60_001, [second, minute, day], 1, 86_400_000],
    [10_000_000, [second], 1, 333_333_000],
  ])('of %i calls under %o with share %f is %i ms', (calls, windows, share, ms) => {
    expect(estimateMs(calls, sharedWindows(windows, share))).toBe(ms)
  })

  it.each([
    [1, [second], [], 0],
    [1, [{ max: 2, perMs: 1000 }], [900, 300], 100],
    [2, [{ max: 2, perMs: 1000 }], [900, 300], 700],
    // Long over.
    [2, [{ max: 2, perMs: 1000 }], [5000, 4000], 0],
    [241, [minute], Array.from({ length: 60 }, () => 20_000), 40_000],
    [301, [minute], [50_000], 60_000],
  ])(
    'of %i calls under %o after calls that were answered %o ms ago is %i ms',
    (calls, windows, agoMs, ms) => {
      expect(estimateMs(calls, windows, agoMs)).toBe(ms)
    },
  )

  it('is zero without windows', () => {
    expect(estimateMs(1_000_000, [])).toBe(0)
  })

  it('is what a simulation of all calls gives', () => {
    const window = fc.record({
      max: fc.integer({ min: 1, max: 40 }),
      perMs: fc.integer({ min: 1, max: 5000 }),
    })
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3000 }),
        (windows, calls) => {
          const exactMs = simulatedMs(calls, windows)
          const ms = estimateMs(calls, windows)
          expect(ms).toBe(exactMs)
        },
      ),
      { numRuns: 500 },
    )
  })

  it.each([
    [second, minute],
    [
      { max: 33, perMs: 2272 },
      { max: 40, perMs: 4015 },
      { max: 38, perMs: 3697 },
    ],
    [
      { max: 34, perMs: 4663 },
      { max: 35, perMs: 4993 },
    ],
    [second, minute, { max: 100_000, perMs: 86_400_000 }],
  ])('is what a simulation of a million calls gives, under %o', (...windows) => {
    const exactMs = simulatedMs(1_000_000, windows)
    expect(Math.abs(estimateMs(1_000_000, windows) - exactMs)).toBeLessThan(exactMs / 10_000)
  })

  it('is instant for ten million calls', () => {
    const startMs = performance.now()
    estimateMs(10_000_000, [second, minute, day])
    expect(performance.now() - startMs).toBeLessThan(250)
  })
})

const minuteMs = 60_000
const hourMs = 60 * minuteMs

describe('the time when work is done', () => {
  const zone = process.env.TZ
  beforeAll(() => {
    process.env.TZ = 'Europe/Berlin'
  })
  afterAll(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  const at = (time: string) => new Date(time).getTime()

  it('is now plus the work without hours', () => {
    expect(finishMs(at('2026-11-20T23:00:00'), 30 * hourMs, null)).toBe(at('2026-11-22T05:00:00'))
  })

  it.each([
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

  it('is what a simulation of every minute gives', () => {
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
