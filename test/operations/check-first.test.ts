import { describe, expect, test } from 'vitest'
import { createdBetween } from '../../src/filters/dates.js'
import {
  active,
  answer,
  cameBack,
  conversation,
  ended,
  expired,
  isOver,
  nowMs,
  outcomeOf,
  settle,
} from './check-first-scene.js'

describe('what is found decides', () => {
  test('active and stale still: it is ended, after a question', async () => {
    expect(await outcomeOf([active, ended])).toEqual({
      calls: 'GET POST',
      status: 'succeeded',
      reason: 'ended',
      attempts: 2,
    })
  })

  test('ended: it is settled without a second call', async () => {
    expect(await outcomeOf([isOver])).toEqual({
      calls: 'GET',
      status: 'succeeded',
      reason: 'already_ended',
      attempts: 1,
    })
  })

  test('touched since, and not stale any more: the customer is not cut off', async () => {
    expect(await outcomeOf([cameBack])).toEqual({
      calls: 'GET',
      status: 'filtered',
      reason: 'active_again',
      attempts: 1,
    })
    const { settlement } = await settle([cameBack])
    expect(settlement).toMatchObject({
      outcome: { message: 'updated 2026-10-19T08:00:00.000Z', httpStatus: 200 },
    })
  })

  test.each([
    ['2026-10-06T12:00:00.000000+00:00', 'ended'],
    ['2026-10-06T12:00:00.001000+00:00', 'active_again'],
    ['2026-10-06T12:00:00.000000', 'ended'],
    ['2026-10-06T14:00:00+02:00', 'ended'],
    ['2026-10-06T12:00:00Z', 'ended'],
  ])('touched since, at %s: %s', async (updated_at, reason) => {
    expect(await outcomeOf([conversation({ updated_at }), ended])).toMatchObject({ reason })
  })

  test('by rules that do not go by the last touch, only what is ended counts', async () => {
    const filters = [createdBetween(0, nowMs)]
    expect(await outcomeOf([cameBack, ended], { filters })).toMatchObject({ reason: 'ended' })
    expect(await outcomeOf([conversation({ updated_at: undefined }), ended], { filters })).toMatchObject({
      reason: 'ended',
    })
    expect(await outcomeOf([isOver], { filters })).toMatchObject({ reason: 'already_ended' })
  })

  test('a status that nobody has heard of is not ended', async () => {
    expect(await outcomeOf([conversation({ status: 'snoozed' }), ended])).toMatchObject({ reason: 'ended' })
  })

  test.each([404, 400, 422])('%i: it is settled by that', async (status) => {
    expect(await outcomeOf([answer(status)])).toMatchObject({ calls: 'GET', status: 'failed', attempts: 1 })
  })

  test('it was ended between the two calls', async () => {
    expect(await outcomeOf([active, expired])).toMatchObject({ calls: 'GET POST', reason: 'already_ended' })
  })
})

describe('nobody is ended on the word of', () => {
  test.each([
    ['a page of HTML', answer(200, '<html>')],
    ['nothing', answer(200, undefined)],
    ['an answer that was cut off', answer(200, '{"id":"66f2')],
    ['an answer that does not say when', conversation({ updated_at: undefined })],
    ['an answer whose moment is none', conversation({ updated_at: 'yesterday' })],
  ])('%s', async (_name, unclear) => {
    expect(await outcomeOf([unclear])).toEqual({
      calls: 'GET GET GET GET GET',
      status: 'failed',
      reason: 'server_error',
      attempts: 5,
    })
    expect(await outcomeOf([unclear, active, ended])).toMatchObject({
      calls: 'GET GET POST',
      reason: 'ended',
    })
  })
})
