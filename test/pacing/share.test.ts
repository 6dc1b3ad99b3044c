import { describe, expect, it } from 'vitest'
import { factorAt, type GivingWay, giveWay, notGivingWay, sharedWindows } from '../../src/pacing/share.js'

describe('the share of the windows', () => {
  it.each([
    // max, share, factor → max
    [30, 0.8, 1, 24],
    [300, 0.8, 0.7, 168],
    [300, 1, 1, 300],
    [10, 0.29, 1, 2],
    [100, 0.29, 1, 29],
    [3, 0.1, 0.25, 1],
    [60_000, 0.5, 0.25, 7500],
  ])('of %i calls, at %f and giving way to %f, is %i', (max, share, factor, expected) => {
    expect(sharedWindows([{ max, perMs: 1000 }], share, factor)).toEqual([{ max: expected, perMs: 1000 }])
  })
})

describe('giving way', () => {
  const once = 60_000

  it.each([
    // ms after one 429, what is left of the share
    [0, 0.7],
    [29_999, 0.7],
    [30_000, 0.75],
    [90_000, 0.85],
    [179_999, 0.95],
    [180_000, 1],
    [1e9, 1],
  ])('%i ms after a 429 leaves %f of the share', (ms, left) => {
    expect(factorAt(giveWay(notGivingWay, 5000, once), 5000 + ms)).toBeCloseTo(left)
  })

  it('is lowered once by a burst, and again by a later 429', () => {
    let state = giveWay(notGivingWay, 0, once)
    for (let ms = 0; ms < 1000; ms += 100) state = giveWay(state, ms, once)
    expect(factorAt(state, 1000)).toBeCloseTo(0.7)
    expect(factorAt(giveWay(state, 60_000, once), 60_000)).toBeCloseTo(0.75 * 0.7)
  })

  it('wins nothing back while 429s keep coming', () => {
    let state = giveWay(notGivingWay, 0, 1e9)
    for (let ms = 0; ms < 600_000; ms += 20_000) state = giveWay(state, ms, 1e9)
    expect(factorAt(state, 600_000)).toBeCloseTo(0.7)
  })

  it('keeps a quarter', () => {
    let state: GivingWay = notGivingWay
    for (let times = 0; times < 20; times++) state = giveWay(state, times, 0)
    expect(factorAt(state, 20)).toBe(0.25)
  })

  it('leaves all when there never was a 429', () => {
    expect(factorAt(notGivingWay, 0)).toBe(1)
  })
})
