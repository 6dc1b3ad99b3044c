import { expect, test } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { BreakerWatch } from '../../src/monitor/breaker-watch.js'
import type { Waiting } from '../../src/pacing/admission.js'

const outage: Waiting = { kind: 'outage', untilMs: 0 }
const nothing: Waiting = { kind: 'nothing' }

/** Whether each look is news; a look is what all calls wait for, and how many have succeeded. */
function newsOf(...looks: [Waiting, number][]): boolean[] {
  const watch = new BreakerWatch()
  return looks.map(([waiting, succeeded]) => {
    const tally = new Tally()
    tally.add('succeeded', 'ended', succeeded)
    return watch.isNews({ waiting, tally, read: 1000 })
  })
}

test('an opening is news once, however long it lasts and whatever is seen between two probes', () => {
  expect(newsOf([nothing, 5], [outage, 5], [outage, 5], [nothing, 5], [outage, 5])).toEqual([
    ...[false, true, false, false, false],
  ])
})

test('calls that were under way when it opened do not close it', () => {
  expect(newsOf([outage, 5], [outage, 7], [nothing, 7], [outage, 7])).toEqual([true, false, false, false])
})

test('after a call has succeeded, the next opening is news again', () => {
  expect(newsOf([outage, 5], [nothing, 6], [nothing, 6], [outage, 9])).toEqual([true, false, false, true])
})

test('an API that comes and goes is news ten times', () => {
  const looks = Array.from({ length: 30 }, (_, index): [Waiting, number][] => [
    [outage, index],
    [nothing, index + 1],
  ])
  expect(newsOf(...looks.flat()).filter(Boolean)).toHaveLength(10)
})
