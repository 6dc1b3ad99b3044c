import { expect, test, vi } from 'vitest'
import { every, RateMeter } from '../../src/monitor/view.js'
import { FakeClock } from '../fake-clock.js'
import { succeeded } from '../reports/report-contract.js'

test('a meter counts the items settled by calling in the last minute, and says when there has been one', async () => {
  const clock = new FakeClock()
  const meter = new RateMeter(clock)
  expect([meter.lastMinute(), meter.isWarm]).toEqual([0, false])
  for (let second = 0; second < 90; second++) {
    for (const attempts of [0, 1, 2]) meter.on({ event: 'settled', settled: { ...succeeded, attempts } })
    await clock.advance(1000)
  }
  // The second that has just begun is empty so far.
  expect([meter.lastMinute(), meter.isWarm]).toEqual([118, true])
  await clock.advance(59_000)
  expect(meter.lastMinute()).toBe(0)
})

test('one timer calls everything that watches, each at its interval, until it is closed', () => {
  vi.useFakeTimers()
  const calls: string[] = []
  const quick = every(250, () => calls.push('quick'))
  const slow = every(1000, () => calls.push('slow'))
  expect(vi.getTimerCount()).toBe(1)
  vi.advanceTimersByTime(1000)
  expect(calls).toEqual(['quick', 'quick', 'quick', 'quick', 'slow'])
  quick[Symbol.dispose]()
  vi.advanceTimersByTime(1000)
  expect(calls.slice(5)).toEqual(['slow'])
  slow[Symbol.dispose]()
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
})
