import { describe, expect, test } from 'vitest'
import type { Api, ApiAnswer } from '../../src/api/api.js'
import { noQuota } from '../../src/api/quota.js'
import { createdBetween, idleLongerThan } from '../../src/filters/dates.js'
import type { Filter } from '../../src/filters/filter.js'
import type { Item } from '../../src/item.js'
import { checkingFirst } from '../../src/operations/check-first.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import type { Operation } from '../../src/operations/operation.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { paced } from '../../src/pacing/paced.js'
import { type EarlierCalls, settleWithRetries } from '../../src/retry.js'
import { Stop } from '../../src/stop.js'
import { FakeClock } from '../fake-clock.js'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 9, 20, 12)
const idle = idleLongerThan(14 * dayMs, nowMs)
const item: Item = {
  ordinal: 6,
  id: '66f2a91c4be07d3f5c1e0001',
  source: 'export.jsonl.gz',
  line: 7,
  record: () => ({ date_updated: '2026-09-20T12:00:00.000000' }),
}

const answer = (status: number, body: unknown = {}): ApiAnswer => ({
  kind: 'answer',
  status,
  body,
  quota: noQuota,
  dateMs: null,
})
const conversation = (fields: object = {}) =>
  answer(200, { id: item.id, status: 'active', updated_at: '2026-09-20T12:00:00.000000+00:00', ...fields })
const active = conversation()
const isOver = conversation({ status: 'ended' })
const cameBack = conversation({ updated_at: '2026-10-19T08:00:00.000000+00:00' })
const ended = answer(200, { message: 'Conversation ended successfully.' })
const expired = answer(400, { errors: [{ type: 'validation_error', message: 'Conversation is expired' }] })
const unavailable = answer(503)
const tooMany = answer(429)
const lost: ApiAnswer = { kind: 'lost', reason: 'timeout', message: 'no answer within 30 s' }
const unreachable: ApiAnswer = { kind: 'unreachable', message: 'ECONNREFUSED' }

interface Options {
  filters?: readonly Filter[]
  earlier?: EarlierCalls
  attemptsMax?: number
  /** From `nowMs` to the start. */
  wallMs?: number
  hours?: { fromMinute: number; toMinute: number }
  onCall?: (nth: number, stop: Stop) => void
}

/** Settles the item against an API that gives these answers, one after another; the last one again and again. */
async function settle(answers: readonly ApiAnswer[], options: Options = {}) {
  const {
    filters = [idle],
    earlier = { calls: 0, isAnswerLost: false },
    attemptsMax = 5,
    hours,
    onCall,
    wallMs = 0,
  } = options
  const clock = new FakeClock(undefined, { wallMs: nowMs + wallMs })
  const stop = new Stop()
  const calls: string[] = []
  const atMs: number[] = []
  const notes: string[] = []
  const startMs = clock.monotonicMs()
  const api: Api = {
    async call({ method, signal }) {
      calls.push(method)
      atMs.push(clock.monotonicMs() - startMs)
      onCall?.(calls.length, stop)
      await clock.sleep(50)
      if (signal.aborted) throw signal.reason
      return answers[Math.min(calls.length, answers.length) - 1]!
    },
  }
  const limiter = openLimiter({
    ledger: openMemoryLedger(clock),
    windows: 'none',
    share: 1,
    concurrency: 16,
    holdMs: 31_000,
    clock,
    random: () => 0,
    ...(hours ? { hours } : {}),
  })
  const pace = (one: Operation) => paced(one, limiter)
  const operation = checkingFirst(pace(endConversation), filters, pace, clock)
  const settling = settleWithRetries(operation, api, item, earlier, {
    attemptsMax,
    clock,
    random: () => 0,
    stopSignal: stop.signal,
    abortSignal: stop.abortSignal,
    notes: {
      sent: (_item, isRead) => notes.push(isRead ? 'look' : 'sent'),
      back: (_item, { reason }, isRead) => notes.push(`${reason}${isRead ? ' (look)' : ''}`),
    },
  })
  let isOver = false
  const over = () => {
    isOver = true
  }
  settling.then(over, over)
  for (let seconds = 0; !isOver && seconds < 100_000; seconds += 10) await clock.advance(10_000)
  const gapsMs = atMs.slice(1).map((ms, index) => ms - atMs[index]!)
  const settlement = await settling.catch((error: unknown) => error as Error)
  await limiter.close()
  return { calls, atMs, gapsMs, notes, settlement }
}

const outcomeOf = async (answers: readonly ApiAnswer[], options?: Options) => {
  const { calls, settlement } = await settle(answers, options)
  if (settlement instanceof Error) throw settlement
  const { outcome, attempts } = settlement
  return { calls: calls.join(' '), status: outcome.status, reason: outcome.reason, attempts }
}

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
