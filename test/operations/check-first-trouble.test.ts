import { describe, expect, test } from 'vitest'
import {
  active,
  answer,
  cameBack,
  ended,
  expired,
  isOver,
  lost,
  nowMs,
  outcomeOf,
  settle,
  tooMany,
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

  test.each([401, 403])('%i refuses the key', async (status) => {
    const { calls, settlement } = await settle([answer(status)])
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
