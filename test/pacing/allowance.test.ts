import { describe, expect, it } from 'vitest'
import {
  ExternalUsage,
  factorAt,
  notYielding,
  roomBeside,
  sharedWindows,
  type Yielding,
  yieldAfter429,
} from '../../src/pacing/allowance.js'
import { noQuota } from '../../src/settings/limits.js'

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
  ])('of %i calls, at %f and yielding to %f, is %i', (max, share, factor, expected) => {
    expect(sharedWindows([{ max, perMs: 1000 }], share, factor)).toEqual([{ max: expected, perMs: 1000 }])
  })
})

describe('yielding', () => {
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
    expect(factorAt(yieldAfter429(notYielding, 5000, once), 5000 + ms)).toBeCloseTo(left)
  })

  it('is lowered once by a burst, and again by a later 429', () => {
    let state = yieldAfter429(notYielding, 0, once)
    for (let ms = 0; ms < 1000; ms += 100) state = yieldAfter429(state, ms, once)
    expect(factorAt(state, 1000)).toBeCloseTo(0.7)
    expect(factorAt(yieldAfter429(state, 60_000, once), 60_000)).toBeCloseTo(0.75 * 0.7)
  })

  it('recovers nothing while 429s keep coming', () => {
    let state = yieldAfter429(notYielding, 0, 1e9)
    for (let ms = 0; ms < 600_000; ms += 20_000) state = yieldAfter429(state, ms, 1e9)
    expect(factorAt(state, 600_000)).toBeCloseTo(0.7)
  })

  it('keeps at least a quarter', () => {
    let state: Yielding = notYielding
    for (let times = 0; times < 20; times++) state = yieldAfter429(state, times, 0)
    expect(factorAt(state, 20)).toBe(0.25)
  })

  it('leaves all without a 429', () => {
    expect(factorAt(notYielding, 0)).toBe(1)
  })
})

const windows = [
  { max: 30, perMs: 1000 },
  { max: 300, perMs: 60_000 },
]

function seen(...answers: { limit: number; remaining: number; ours: number; atMs: number }[]) {
  const external = new ExternalUsage(windows)
  for (const { limit, remaining, ours, atMs } of answers)
    external.note({ ...noQuota, limit, remaining }, [ours, ours], atMs)
  return external
}

describe('external usage', () => {
  it('is what the API has counted and we have not made', () => {
    const external = seen({ limit: 300, remaining: 180, ours: 59, atMs: 0 })
    expect(external.callsInWindows(0)).toEqual([0, 60])
  })

  it('is zero while all calls may be ours', () => {
    const external = new ExternalUsage(windows)
    const quota = { ...noQuota, limit: 300, remaining: 200 }
    external.note(quota, [19, 99], 0)
    expect(external.callsInWindows(0)).toEqual([0, 0])
  })

  it('is the most that was seen in the last two windows', () => {
    const external = seen(
      { limit: 300, remaining: 200, ours: 9, atMs: 0 },
      { limit: 300, remaining: 250, ours: 9, atMs: 50_000 },
      { limit: 300, remaining: 240, ours: 9, atMs: 100_000 },
    )
    expect(external.callsInWindows(119_999)).toEqual([0, 90])
    expect(external.callsInWindows(120_000)).toEqual([0, 50])
    expect(external.callsInWindows(220_000)).toEqual([0, 0])
  })

  it('is unknown when the headers are about another window, or missing', () => {
    const external = seen({ limit: 100, remaining: 1, ours: 9, atMs: 0 })
    external.note(noQuota, [1, 1], 0)
    expect(external.callsInWindows(0)).toEqual([0, 0])
  })
})

describe('the room beside others', () => {
  it.each([
    // external, share → room of 300
    [0, 0.8, 240],
    [60, 0.8, 240],
    [100, 0.8, 180],
    [300, 0.8, 12],
    [0, 1, 300],
    [60, 1, 210],
    [1000, 1, 15],
  ])('%i calls of others at a share of %f leave %i', (external, share, room) => {
    expect(roomBeside(external, 300, share)).toBe(room)
  })

  it('is one call at least', () => {
    expect(roomBeside(10, 10, 0.5)).toBe(1)
  })
})
