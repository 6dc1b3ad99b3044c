import { expect, test } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { tooManyFailures } from '../../src/runs/stop-reason.js'
import { parseMaxFailures } from '../../src/settings/values.js'

function tallyOf(succeeded: number, failed: number, unknown = 0): Tally {
  const tally = new Tally()
  tally.add('succeeded', 'ended', succeeded)
  tally.add('failed', 'not_found', failed)
  tally.add('unknown', 'timeout', unknown)
  return tally
}

test.each([
  // --max-failures, succeeded, failed, unknown, whether the run stops
  ['10', 0, 10, 0, false],
  ['10', 0, 11, 0, true],
  ['10', 0, 6, 5, true],
  ['0', 1000, 0, 0, false],
  ['0', 1000, 1, 0, true],
  ['25%', 0, 99, 0, false],
  ['25%', 0, 100, 0, true],
  ['25%', 75, 25, 0, false],
  ['25%', 74, 26, 0, true],
  ['25%', 74, 13, 13, true],
  ['0%', 99, 1, 0, true],
  ['100%', 0, 1000, 0, false],
])('with --max-failures %s, %i succeeded, %i failed and %i unknown stop the run: %s', (...row) => {
  const [limit, succeeded, failed, unknown, stops] = row
  expect(tooManyFailures(tallyOf(succeeded, failed, unknown), parseMaxFailures(limit)) !== null).toBe(stops)
})

test('items that were never called do not dilute the percentage', () => {
  const tally = tallyOf(70, 30)
  tally.add('filtered', 'on_hold', 10_000)
  tally.add('invalid', 'bad_id', 10_000)
  expect(tooManyFailures(tally, parseMaxFailures('25%'))).not.toBeNull()
})

test('the sentence names the flag as it was typed, and how many failed', () => {
  expect(tooManyFailures(tallyOf(0, 11), parseMaxFailures('10'))).toBe(
    '11 items failed, more than --max-failures 10 allows',
  )
  expect(tooManyFailures(tallyOf(200, 100), parseMaxFailures('25%'))).toBe(
    '100 of 300 items failed (33.3 %), more than --max-failures 25% allows',
  )
  for (const typed of ['7%', '0.5%', '14%', '28%', '29%', '55%', '57%']) {
    expect(tooManyFailures(tallyOf(0, 100), parseMaxFailures(typed))).toContain(
      `--max-failures ${typed} allows`,
    )
  }
})
