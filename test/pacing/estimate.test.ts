import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateMs } from '../../src/pacing/estimate.js'
import type { RateWindow } from '../../src/settings/limits.js'

const second = { max: 30, perMs: 1000 }
const minute = { max: 300, perMs: 60_000 }
const day = { max: 60_000, perMs: 86_400_000 }

/** One call after the other, as early as all windows allow. */
function playedThroughMs(calls: number, windows: readonly RateWindow[]): number {
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
    expect(estimateMs(calls, windows, share)).toBe(ms)
  })

  it.each([
    [1, [second], [], 0],
    [1, [{ max: 2, perMs: 1000 }], [900, 300], 100],
    [2, [{ max: 2, perMs: 1000 }], [900, 300], 700],
    // Long over.
    [2, [{ max: 2, perMs: 1000 }], [5000, 4000], 0],
    [241, [minute], Array.from({ length: 60 }, () => 20_000), 40_000],
    [301, [minute], [50_000], 60_000],
  ])('of %i calls under %o after calls that were answered so long ago: %o', (calls, windows, agoMs, ms) => {
    expect(estimateMs(calls, windows, 1, agoMs)).toBe(ms)
  })

  it('is nothing without windows', () => {
    expect(estimateMs(1_000_000, 'none', 1)).toBe(0)
    expect(estimateMs(1_000_000, [], 1)).toBe(0)
  })

  it('is what playing all calls through gives', () => {
    const window = fc.record({
      max: fc.integer({ min: 1, max: 40 }),
      perMs: fc.integer({ min: 1, max: 5000 }),
    })
    fc.assert(
      fc.property(
        fc.array(window, { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3000 }),
        (windows, calls) => {
          const exactMs = playedThroughMs(calls, windows)
          const ms = estimateMs(calls, windows, 1)
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
  ])('is what playing a million calls through gives, under %o', (...windows) => {
    const exactMs = playedThroughMs(1_000_000, windows)
    expect(Math.abs(estimateMs(1_000_000, windows, 1) - exactMs)).toBeLessThan(exactMs / 10_000)
  })

  it('is instant for ten million calls', () => {
    const startMs = performance.now()
    estimateMs(10_000_000, [second, minute, day], 1)
    expect(performance.now() - startMs).toBeLessThan(250)
  })
})
