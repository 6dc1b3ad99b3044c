import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { statuses } from '../../src/item.js'

test('read is the sum of all the others, whatever was counted', () => {
  const counted = fc.record({
    status: fc.constantFrom(...statuses),
    reason: fc.constantFrom('ended', 'not_found', 'timeout', 'bad_id', 'on_hold'),
    times: fc.integer({ min: 0, max: 1000 }),
  })
  fc.assert(
    fc.property(fc.array(counted), fc.nat(1000), (all, more) => {
      const tally = new Tally()
      for (const { status, reason, times } of all) tally.add(status, reason, times)
      const settled = all.reduce((sum, { times }) => sum + times, 0)
      const { read, ...others } = tally.totals(settled + more)
      expect(others.left).toBe(more)
      expect(Object.values(others).reduce((sum, times) => sum + times)).toBe(read)
      expect(Object.values(tally.reasons()).reduce((sum, times) => sum + times, 0)).toBe(settled)
      expect(tally.settled).toBe(settled)
    }),
  )
})

test('a failure is what failed or may have, and what was called is that and the successes', () => {
  const tally = new Tally()
  for (const [index, status] of statuses.entries()) tally.add(status, status, 10 ** index)
  expect(tally.totals(1_000_000)).toEqual({
    read: 1_000_000,
    succeeded: 1,
    failed: 10,
    unknown: 100,
    invalid: 1000,
    duplicate: 10_000,
    filtered: 100_000,
    left: 888_889,
  })
  expect(tally.failures).toBe(110)
  expect(tally.called).toBe(111)
})

test.each([
  ['succeeded', false],
  ['failed', true],
  ['unknown', true],
  ['invalid', true],
  ['duplicate', false],
  ['filtered', false],
] as const)('an item that is %s needs a person: %s', (status, isTrouble) => {
  const tally = new Tally()
  expect(tally.hasTrouble).toBe(false)
  tally.add(status, 'ended')
  expect(tally.hasTrouble).toBe(isTrouble)
})

test('reasons are counted over all statuses and told in the order of the alphabet', () => {
  const tally = new Tally()
  tally.add('unknown', 'timeout')
  tally.add('succeeded', 'ended', 3)
  tally.add('succeeded', 'already_ended')
  tally.add('succeeded', 'ended')
  expect(Object.entries(tally.reasons())).toEqual([
    ['already_ended', 1],
    ['ended', 4],
    ['timeout', 1],
  ])
})
