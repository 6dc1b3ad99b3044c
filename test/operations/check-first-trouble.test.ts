import { describe, expect, test } from 'vitest'
import {
  active,
  answer,
  cameBack,
  challenge,
  conversation,
  ended,
  expired,
  forbidden,
  isOver,
  lost,
  nowMs,
  outcomeOf,
  settle,
  tooMany,
  unauthorized,
  unavailable,
  unreachable,
} from './check-first-scene.js'

describe('a question that comes to nothing', () => {
  test.each([
    ['lost', lost, 'network_error'],
    ['unreachable', unreachable, 'network_error'],
    ['503', unavailable, 'server_error'],
  ] as const)(
    '(%s) is asked again, and at last it is known that nothing was done',
    async (_name, wrong, reason) => {
      expect(await outcomeOf([wrong, wrong, active, ended])).toMatchObject({
        calls: 'GET GET GET POST',
        reason: 'ended',
        attempts: 4,
      })
      expect(await outcomeOf([wrong])).toMatchObject({
        calls: 'GET GET GET GET GET',
        status: 'failed',
        reason,
      })
    },
  )

  test('429 is waited out and not counted', async () => {
    const answers = [tooMany, tooMany, tooMany, active, ended]
    expect(await outcomeOf(answers, { attemptsMax: 1 })).toMatchObject({
      calls: 'GET GET GET GET POST',
      reason: 'ended',
    })
  })

  test.each([
    ['401', unauthorized],
    ['403', forbidden],
  ])('%s refuses the key when a harmless call is refused too', async (_name, refusal) => {
    const { calls, settlement } = await settle([refusal], { harmless: refusal })
    expect(settlement).toMatchObject({ name: 'KeyRefusedError' })
    expect(calls).toEqual(['GET'])
  })
})

describe('an answer to the second call that is lost', () => {
  test('is asked about: it had worked', async () => {
    expect(await outcomeOf([active, lost, isOver])).toEqual({
      calls: 'GET POST GET',
      status: 'succeeded',
      reason: 'ended_on_retry',
      attempts: 3,
    })
  })

  test('is asked about: it had not', async () => {
    expect(await outcomeOf([active, lost, active, ended])).toMatchObject({
      calls: 'GET POST GET POST',
      reason: 'ended',
    })
  })

  test('and the customer came back, who is left alone', async () => {
    expect(await outcomeOf([active, lost, cameBack])).toMatchObject({
      calls: 'GET POST GET',
      reason: 'active_again',
    })
  })

  test.each([
    ['lost', lost],
    ['unreachable', unreachable],
    ['503', unavailable],
  ])('leaves it unknown when the question about it comes to nothing (%s)', async (_name, wrong) => {
    expect(await outcomeOf([active, lost, wrong])).toMatchObject({ status: 'unknown', reason: 'timeout' })
  })

  test('is not one when only a question was lost', async () => {
    expect(await outcomeOf([lost, isOver])).toMatchObject({ reason: 'already_ended' })
    expect(await outcomeOf([lost, active, expired])).toMatchObject({ reason: 'already_ended' })
  })
})

describe('a run that is resumed', () => {
  test('after a crash between the question and the call asks again', async () => {
    const earlier = { calls: 1, isAnswerLost: false }
    expect(await outcomeOf([active, ended], { earlier })).toMatchObject({
      calls: 'GET POST',
      reason: 'ended',
      attempts: 3,
    })
    expect(await outcomeOf([isOver], { earlier })).toMatchObject({ reason: 'already_ended', attempts: 2 })
  })

  test('after a crash between the call and its answer finds its own work', async () => {
    const earlier = { calls: 2, isAnswerLost: true }
    expect(await outcomeOf([isOver], { earlier })).toMatchObject({ reason: 'ended_on_retry', attempts: 3 })
    expect(await outcomeOf([active, ended], { earlier })).toMatchObject({ reason: 'ended', attempts: 4 })
    expect(await outcomeOf([unavailable], { earlier })).toMatchObject({ status: 'unknown', attempts: 7 })
  })
})

describe('in time', () => {
  test.each([
    ['question and call', [active, ended]],
    ['a lost answer', [active, lost, active, ended]],
    ['errors', [unavailable, active, unavailable, active, ended]],
    ['429s', [tooMany, active, tooMany, active, ended]],
  ])('two calls lie at least a second apart: %s', async (_name, answers) => {
    const { gapsMs } = await settle(answers)
    expect(gapsMs.length).toBeGreaterThan(0)
    for (const gap of gapsMs) expect(gap).toBeGreaterThanOrEqual(1000)
  })

  test('each call is noted before it leaves, as one that only looks or one that does something', async () => {
    const { notes } = await settle([unavailable, active, lost, isOver])
    expect(notes).toEqual(['look', 'server_error (look)', 'look', 'sent', 'look'])
  })

  test('a stop between the two calls leaves the item for later, and nothing was done', async () => {
    const { calls, settlement } = await settle([active, ended], {
      onCall: (_nth, stop) => stop.request({ exitCode: 130, because: 'SIGINT received' }),
    })
    expect(settlement).toMatchObject({ name: 'Stopped' })
    expect(calls).toEqual(['GET'])
  })

  test('an answer that has got old while the call waited for its turn is asked for anew', async () => {
    const noon = new Date(nowMs)
    const minute = noon.getHours() * 60 + noon.getMinutes()
    // Half a second before the hours end: the question leaves, and the call would on the next day.
    const hours = { fromMinute: minute - 60, toMinute: minute + 1 }
    const { calls, atMs, settlement } = await settle([active, cameBack], { hours, wallMs: 59_500 })
    expect(atMs[1]).toBeGreaterThan(22 * 3_600_000)
    expect(calls).toEqual(['GET', 'GET'])
    expect(settlement).toMatchObject({ outcome: { reason: 'active_again' } })
  })
})

describe('without --check-first', () => {
  const settled = (answers: Parameters<typeof outcomeOf>[0], options = {}) =>
    outcomeOf(answers, { isAlways: false, ...options })

  test('a confirmed success takes one call', async () => {
    expect(await settled([ended])).toMatchObject({ calls: 'POST', reason: 'ended' })
  })

  test.each([
    ['it is ended', [lost, isOver], 'POST GET', 'succeeded', 'ended_on_retry'],
    [
      'it is active, though the customer wrote',
      [lost, cameBack, ended],
      'POST GET POST',
      'succeeded',
      'ended',
    ],
    ['it is not there', [lost, answer(404)], 'POST GET', 'failed', 'not_found'],
    ['the look is refused', [lost, answer(405)], 'POST GET GET GET GET', 'unknown', 'timeout'],
    ['the look is forbidden', [lost, forbidden], 'POST GET GET GET GET', 'unknown', 'timeout'],
    ['the look has no state', [lost, ended], 'POST GET GET GET GET', 'unknown', 'timeout'],
    [
      'the look has errors',
      [lost, conversation({ errors: [] })],
      'POST GET GET GET GET',
      'unknown',
      'timeout',
    ],
  ] as const)(
    'a lost answer is looked at before the next call: %s',
    async (_name, answers, calls, status, reason) => {
      expect(await settled(answers)).toMatchObject({ calls, status, reason })
    },
  )

  test('a resumed run looks before it calls again', async () => {
    const earlier = { calls: 1, isAnswerLost: true }
    expect(await settled([isOver], { earlier })).toMatchObject({ calls: 'GET', reason: 'ended_on_retry' })
    expect(await settled([active, ended], { earlier })).toMatchObject({ calls: 'GET POST', reason: 'ended' })
  })

  test.each([
    ['it is ended', [challenge, isOver], 1, 'POST GET', 'succeeded', 'ended_on_retry'],
    ['it is active', [challenge, active], 1, 'POST GET', 'failed', 'server_error'],
    [
      'it is active, and the next call works',
      [challenge, active, ended],
      2,
      'POST GET POST',
      'succeeded',
      'ended',
    ],
    ['the look says nothing', [challenge], 1, 'POST GET', 'unknown', 'unconfirmed'],
    ['the look is no answer', [challenge, unreachable], 2, 'POST GET GET', 'unknown', 'unconfirmed'],
  ] as const)(
    'a success that does not say so is looked at: %s',
    async (_name, answers, attemptsMax, calls, status, reason) => {
      expect(await settled(answers, { attemptsMax })).toMatchObject({ calls, status, reason })
    },
  )

  test('calls are noted so that a crash before the look leaves the answer lost', async () => {
    const { notes } = await settle([challenge, active, ended], { isAlways: false })
    expect(notes).toEqual(['sent', 'look', 'server_error', 'sent'])
  })

  test.each([['403', forbidden, 'forbidden']])(
    '%s is the outcome of the item when a harmless call shows that the key works',
    async (_name, refusal, reason) => {
      expect(await settled([refusal])).toMatchObject({ calls: 'POST', status: 'failed', reason, attempts: 2 })
    },
  )

  test('401 is tried again when a harmless call shows that the key works', async () => {
    expect(await settled([unauthorized, ended])).toMatchObject({ calls: 'POST POST', reason: 'ended' })
  })

  test.each([unavailable, unreachable, lost])(
    'a refusal is tried again when the harmless call tells nothing',
    async (harmless) => {
      expect(await settled([forbidden, ended], { harmless })).toMatchObject({
        calls: 'POST POST',
        reason: 'ended',
      })
    },
  )
})
