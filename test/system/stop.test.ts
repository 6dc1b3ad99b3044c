import { expect, test } from 'vitest'
import { Stop, Stopped, type StopReason } from '../../src/system/stop.js'

const itemsReached: StopReason = { exitCode: 75, because: '--max-items 10 reached', finishesItems: true }
const interrupted: StopReason = { exitCode: 130, because: 'SIGINT received' }
const keyRefused: StopReason = { exitCode: 4, because: 'the API refused the key' }

test('without a request nothing is stopped', () => {
  const stop = new Stop()
  expect(stop.reason).toBeNull()
  expect(stop.signal.aborted).toBe(false)
  expect(stop.abortSignal.aborted).toBe(false)
})

test('a request ends the waiting and leaves calls in flight alone', () => {
  const stop = new Stop()
  stop.request(interrupted)
  expect(stop.reason).toBe(interrupted)
  expect(stop.signal.reason).toBeInstanceOf(Stopped)
  expect(stop.abortSignal.aborted).toBe(false)
})

test('a stop that finishes items ends no waiting', () => {
  const stop = new Stop()
  stop.request(itemsReached)
  expect(stop.reason).toBe(itemsReached)
  expect(stop.signal.aborted).toBe(false)
})

test.each([
  ['the first counts', [interrupted, keyRefused], interrupted],
  ['a gentler one changes nothing', [interrupted, itemsReached], interrupted],
  ['a sterner one follows a gentle one', [itemsReached, keyRefused, interrupted], keyRefused],
  ['of two gentle ones the first counts', [itemsReached, { ...itemsReached }], itemsReached],
])('of several reasons, %s', (_, requests, reason) => {
  const stop = new Stop()
  for (const request of requests) stop.request(request)
  expect(stop.reason).toBe(reason)
  expect(stop.signal.aborted).toBe(requests.some((request) => !request.finishesItems))
})

test('aborting the calls ends what is in flight', () => {
  const stop = new Stop()
  stop.request(interrupted)
  stop.abortCalls()
  expect(stop.abortSignal.reason).toBeInstanceOf(Stopped)
  expect(stop.reason).toBe(interrupted)
})
