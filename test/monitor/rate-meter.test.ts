import { expect, test } from 'vitest'
import { RateMeter } from '../../src/monitor/rate-meter.js'
import { FakeClock } from '../fake-clock.js'

test('a meter counts the last minute, and says when there has been one', async () => {
  const clock = new FakeClock()
  const meter = new RateMeter(clock)
  expect([meter.lastMinute(), meter.isWarm]).toEqual([0, false])
  for (let second = 0; second < 90; second++) {
    meter.add()
    meter.add()
    await clock.advance(1000)
  }
  // The second that has just begun is empty so far.
  expect([meter.lastMinute(), meter.isWarm]).toEqual([118, true])
  await clock.advance(59_000)
  expect(meter.lastMinute()).toBe(0)
})
