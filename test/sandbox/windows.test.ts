import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RateWindows, type WindowKind } from '../../src/sandbox/windows.js'

/** For each arrival `.` when it is let in, else the milliseconds to wait. */
function judged(windows: RateWindows, arrivalsMs: number[]): (number | '.')[] {
  return arrivalsMs.map((atMs) => {
    const judgement = windows.judge(atMs)
    return judgement.isOver ? judgement.retryAfterMs : '.'
  })
}

const threeASecond = [{ max: 3, perMs: 1_000 }]

describe('arrivals at a limit of 3 a second', () => {
  const third = 1_000 / 3
  const table: [WindowKind, string, number[], (number | '.')[]][] = [
    ['sliding', 'a fourth waits until the first has left', [0, 400, 900, 950], ['.', '.', '.', 50]],
    ['sliding', 'one is free a period later', [0, 400, 900, 999, 1_000], ['.', '.', '.', 1, '.']],
    ['sliding', 'the edge of a second means nothing', [900, 900, 900, 1_000], ['.', '.', '.', 900]],
    ['sliding', 'a refused call does not count', [0, 0, 0, 500, 1_000], ['.', '.', '.', 500, '.']],
    ['fixed', 'a fourth waits until the second is over', [100, 400, 900, 950], ['.', '.', '.', 50]],
    ['fixed', 'six fit around an edge', [999, 999, 999, 1_000, 1_000, 1_000], Array(6).fill('.')],
    ['fixed', 'nothing is saved up', [0, 2_000, 2_000, 2_000, 2_001], ['.', '.', '.', '.', 999]],
    ['bucket', 'a token comes back every third', [0, 0, 0, 0, 334], ['.', '.', '.', third, '.']],
    ['bucket', 'six fit into little more than a second', [0, 0, 0, 334, 667, 1_000], Array(6).fill('.')],
    ['bucket', 'it does not overflow', [0, 6e4, 6e4, 6e4, 6e4], ['.', '.', '.', '.', third]],
  ]
  test.each(table)('%s: %s', (kind, _, arrivalsMs, expected) => {
    const answers = judged(new RateWindows(threeASecond, kind), arrivalsMs)
    expect(answers.map(rounded)).toEqual(expected.map(rounded))
  })
})

test('an arrival that is over one window takes no place in the others', () => {
  const windows = new RateWindows(
    [
      { max: 2, perMs: 1_000 },
      { max: 4, perMs: 60_000 },
    ],
    'sliding',
  )
  const expected = ['.', '.', 1_000, 1_000, '.', '.', 58_000]
  expect(judged(windows, [0, 0, 0, 0, 1_000, 1_000, 2_000])).toEqual(expected)
})

test('the wait is that of the window with the longest', () => {
  const windows = new RateWindows([...threeASecond, { max: 3, perMs: 60_000 }], 'fixed')
  expect(judged(windows, [0, 0, 0, 500])).toEqual(['.', '.', '.', 59_500])
})

describe('the quota after an arrival', () => {
  const limits = [...threeASecond, { max: 5, perMs: 60_000 }]
  const table: [WindowKind, number[], object][] = [
    ['sliding', [10_250], { limit: 3, remaining: 2, resetAtMs: 11_250 }],
    ['sliding', [10_250, 11_500, 12_750, 14_000], { limit: 5, remaining: 1, resetAtMs: 70_250 }],
    ['fixed', [10_250], { limit: 3, remaining: 2, resetAtMs: 11_000 }],
    ['fixed', [10_250, 11_500, 12_750, 14_000], { limit: 5, remaining: 1, resetAtMs: 60_000 }],
    ['bucket', [9_000, 9_000, 9_000], { limit: 3, remaining: 0, resetAtMs: 9_000 + 1_000 / 3 }],
  ]
  test.each(table)('%s: after %j it is that of the tightest window', (kind, arrivalsMs, expected) => {
    const windows = new RateWindows(limits, kind)
    judged(windows, arrivalsMs.slice(0, -1))
    expect(windows.judge(arrivalsMs.at(-1)!)).toEqual({ isOver: false, quota: expected })
  })
})

test('waiting as long as told is enough, under every kind of window', () => {
  const gapsMs = fc.array(fc.integer({ min: 0, max: 700 }), { minLength: 1, maxLength: 200 })
  const kinds = fc.constantFrom<WindowKind>('sliding', 'fixed', 'bucket')
  fc.assert(
    fc.property(kinds, gapsMs, (kind, gaps) => {
      const windows = new RateWindows([...threeASecond, { max: 20, perMs: 10_000 }], kind)
      let nowMs = 0
      for (const gapMs of gaps) {
        nowMs += gapMs
        const judgement = windows.judge(nowMs)
        if (!judgement.isOver) continue
        nowMs += judgement.retryAfterMs
        expect(windows.judge(nowMs).isOver).toBe(false)
      }
    }),
  )
})

test('a sliding window never lets in more than its limit in any span, and no fewer than it could', () => {
  const gapsMs = fc.array(fc.integer({ min: 0, max: 30 }), { minLength: 5_000, maxLength: 5_000 })
  fc.assert(
    fc.property(gapsMs, (gaps) => {
      const windows = new RateWindows([{ max: 40, perMs: 1_000 }], 'sliding')
      const admittedMs: number[] = []
      let nowMs = 0
      for (const gapMs of gaps) {
        nowMs += gapMs
        const held = admittedMs.slice(-40).filter((atMs) => atMs > nowMs - 1_000).length
        const { isOver } = windows.judge(nowMs)
        expect(isOver).toBe(held === 40)
        if (!isOver) admittedMs.push(nowMs)
      }
    }),
    { numRuns: 5 },
  )
})

function rounded(wait: number | '.'): number | '.' {
  return wait === '.' ? wait : Math.round(wait * 1e6) / 1e6
}
