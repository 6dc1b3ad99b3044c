import { describe, expect, it } from 'vitest'
import { roomBeside } from '../../src/pacing/allowance.js'
import { ForeignTraffic } from '../../src/pacing/foreign-traffic.js'
import { noQuota } from '../../src/settings/limits.js'

const windows = [
  { max: 30, perMs: 1000 },
  { max: 300, perMs: 60_000 },
]

function seen(...answers: { limit: number; remaining: number; ours: number; atMs: number }[]) {
  const foreign = new ForeignTraffic(windows)
  for (const { limit, remaining, ours, atMs } of answers)
    foreign.note({ ...noQuota, limit, remaining }, { onRecord: [ours, ours], takenSince: 0 }, atMs)
  return foreign
}

describe('what others use', () => {
  it('is what the API has counted and we have not made', () => {
    const foreign = seen({ limit: 300, remaining: 180, ours: 59, atMs: 0 })
    expect(foreign.callsInWindows(0)).toEqual([0, 60])
  })

  it('is nothing while all calls may be ours, those that left meanwhile included', () => {
    const foreign = new ForeignTraffic(windows)
    const quota = { ...noQuota, limit: 300, remaining: 200 }
    foreign.note(quota, { onRecord: [10, 90], takenSince: 9 }, 0)
    expect(foreign.callsInWindows(0)).toEqual([0, 0])
  })

  it('is the most that was seen in the last two windows', () => {
    const foreign = seen(
      { limit: 300, remaining: 200, ours: 9, atMs: 0 },
      { limit: 300, remaining: 250, ours: 9, atMs: 50_000 },
      { limit: 300, remaining: 240, ours: 9, atMs: 100_000 },
    )
    expect(foreign.callsInWindows(119_999)).toEqual([0, 90])
    expect(foreign.callsInWindows(120_000)).toEqual([0, 50])
    expect(foreign.callsInWindows(220_000)).toEqual([0, 0])
  })

  it('is not known where the headers speak of another window, or do not speak', () => {
    const foreign = seen({ limit: 100, remaining: 1, ours: 9, atMs: 0 })
    foreign.note(noQuota, { onRecord: [1, 1], takenSince: 0 }, 0)
    expect(foreign.callsInWindows(0)).toEqual([0, 0])
  })
})

describe('the room beside others', () => {
  it.each([
    // foreign, share → room of 300
    [0, 0.8, 240],
    [60, 0.8, 240],
    [100, 0.8, 180],
    [300, 0.8, 12],
    [0, 1, 300],
    [60, 1, 210],
    [1000, 1, 15],
  ])('%i calls of others at a share of %f leave %i', (foreign, share, room) => {
    expect(roomBeside(foreign, 300, share)).toBe(room)
  })

  it('is one call at least', () => {
    expect(roomBeside(10, 10, 0.5)).toBe(1)
  })
})
