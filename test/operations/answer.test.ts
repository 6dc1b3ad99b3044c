import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ApiAnswer } from '../../src/job.js'
import { apiMessage, settledBy, verdictOf } from '../../src/operations/answer.js'
import { noQuota } from '../../src/settings/limits.js'

const quota = { ...noQuota, remaining: 12 }

function answer(status: number, body: unknown = undefined): Extract<ApiAnswer, { kind: 'answer' }> {
  return { kind: 'answer', status, body, quota, dateMs: null }
}

describe('a verdict', () => {
  test.each([
    [200, 'settled', 'succeeded', 'ended'],
    [201, 'settled', 'succeeded', 'ended'],
    [202, 'settled', 'succeeded', 'ended'],
    [204, 'settled', 'succeeded', 'ended'],
    [301, 'settled', 'failed', 'rejected'],
    [307, 'settled', 'failed', 'rejected'],
    [400, 'settled', 'failed', 'rejected'],
    [401, 'refused', 'failed', 'rejected'],
    [403, 'refused', 'failed', 'rejected'],
    [404, 'settled', 'failed', 'not_found'],
    [405, 'settled', 'failed', 'rejected'],
    [408, 'again', 'failed', 'rejected'],
    [409, 'settled', 'failed', 'rejected'],
    [410, 'settled', 'failed', 'rejected'],
    [413, 'settled', 'failed', 'rejected'],
    [422, 'settled', 'failed', 'rejected'],
    [429, 'rate_limited', 'failed', 'rate_limited'],
    [500, 'again', 'failed', 'server_error'],
    [501, 'again', 'failed', 'server_error'],
    [502, 'again', 'failed', 'server_error'],
    [503, 'again', 'failed', 'server_error'],
    [504, 'again', 'failed', 'server_error'],
    [529, 'again', 'failed', 'server_error'],
    [599, 'again', 'failed', 'server_error'],
  ])('of HTTP %i is %s: %s, %s', (status, kind, itemStatus, reason) => {
    const verdict = verdictOf(answer(status), 'ended')
    expect(verdict.kind).toBe(kind)
    expect(verdict.quota).toBe(quota)
    expect(verdict.outcome).toMatchObject({ status: itemStatus, reason, httpStatus: status })
    if (verdict.kind === 'again') expect(verdict.cause).toBe('answered')
  })

  test.each(['<!doctype html><title>Sign in</title>', '\n <html><body>Welcome</body></html>'])(
    'of a 200 with a web page is no success: a proxy or another host has answered (%j)',
    (page) => {
      const verdict = verdictOf(answer(200, page), 'ended')
      expect(verdict).toMatchObject({ kind: 'again', cause: 'answered' })
      expect(verdict.outcome).toMatchObject({ status: 'failed', reason: 'server_error', httpStatus: 200 })
      expect(verdict.outcome.message).toMatch(/web page/)
    },
  )

  test.each([undefined, '{"message":"Conversation en', 'OK', ''])(
    'of a 200 whose body is empty, cut off or short is a success: the status counts (%j)',
    (body) => expect(verdictOf(answer(200, body), 'ended')).toMatchObject({ kind: 'settled' }),
  )

  test('of a call that never got there is another try, in the end a network error', () => {
    expect(verdictOf({ kind: 'unreachable', message: 'connect ECONNREFUSED' }, 'ended')).toEqual({
      kind: 'again',
      cause: 'unreachable',
      quota: noQuota,
      outcome: {
        status: 'failed',
        reason: 'network_error',
        httpStatus: null,
        message: 'connect ECONNREFUSED',
      },
    })
  })

  test.each(['timeout', 'connection_lost'] as const)(
    'of a lost answer is another try, in the end unknown: %s',
    (reason) => {
      expect(verdictOf({ kind: 'lost', reason, message: 'no answer within 30 s' }, 'ended')).toEqual({
        kind: 'again',
        cause: 'lost',
        quota: noQuota,
        outcome: { status: 'unknown', reason, httpStatus: null, message: 'no answer within 30 s' },
      })
    },
  )

  test('has the status for a message when the words of the API say nothing', () => {
    expect(verdictOf(answer(500, '..'), 'ended').outcome.message).toBe('HTTP 500')
    expect(verdictOf(answer(400, { message: '-' }), 'ended').outcome.message).toBe('HTTP 400')
  })

  test('has a message only when something is wrong', () => {
    const body = { message: 'Conversation ended successfully.' }
    expect(verdictOf(answer(200, body), 'ended').outcome.message).toBe('')
    expect(verdictOf(answer(500, body), 'ended').outcome.message).toBe(body.message)
    expect(verdictOf(answer(503), 'ended').outcome.message).toBe('HTTP 503')
  })

  test('of a redirect says what to check', () => {
    expect(verdictOf(answer(308, '<html>Moved</html>'), 'ended').outcome.message).toBe(
      'HTTP 308: redirects are not followed; check the base URL',
    )
  })

  test('that an operation gives itself has the words of the API, unless it has its own', () => {
    const refusal = answer(400, {
      errors: [{ type: 'validation_error', message: 'Conversation is expired' }],
    })
    const reason = { status: 'succeeded', reason: 'already_ended' } as const
    expect(settledBy(refusal, reason)).toEqual({
      kind: 'settled',
      quota,
      outcome: { ...reason, httpStatus: 400, message: 'Conversation is expired' },
    })
    expect(settledBy(refusal, { ...reason, message: '' }).outcome.message).toBe('')
  })
})

describe('the message of a body', () => {
  const error = (details: unknown) => ({
    errors: [{ type: 'validation_error', message: 'Invalid conversation ID', details }],
  })

  test.each([
    ['details that are null', error(null), 'Invalid conversation ID'],
    ['no details', error(undefined), 'Invalid conversation ID'],
    ['empty details', error(''), 'Invalid conversation ID'],
    ['details in words', error('must be hex'), 'Invalid conversation ID (must be hex)'],
    [
      'details as a list',
      error([{ parameter: 'conversation_id', location: 'path', message: 'must be hex' }]),
      'Invalid conversation ID ([{"parameter":"conversation_id","location":"path","message":"must be hex"}])',
    ],
    ['details as an object', error({ id: 'bad' }), 'Invalid conversation ID ({"id":"bad"})'],
    ['details as a number', error(7), 'Invalid conversation ID (7)'],
    ['several errors', { errors: [{ message: 'too long' }, { message: 'not hex' }] }, 'too long; not hex'],
    ['errors as words', { errors: ['too long', 'not hex'] }, 'too long; not hex'],
    ['an error with a type only', { errors: [{ type: 'resource_not_found' }] }, 'resource_not_found'],
    ['a plain message', { message: 'Unauthorized' }, 'Unauthorized'],
    ['errors without a word, and a message', { errors: [], message: 'Unauthorized' }, 'Unauthorized'],
    ['errors that are none, and a message', { errors: [null, 7, {}, []], message: 'no' }, 'no'],
    ['errors that are no list', { errors: 'oops', message: 'Unauthorized' }, 'Unauthorized'],
    ['a message that is no text', { message: { code: 7 } }, ''],
    ['text', 'upstream connect error', 'upstream connect error'],
    [
      'a page of HTML',
      '<html><head><style>p { color: red }</style><script>track("<p>")</script></head><body><h1>502</h1>\n<p class="a">Bad gateway</p></body></html>',
      '502 Bad gateway',
    ],
    ['nothing', undefined, ''],
    ['null', null, ''],
    ['a number', 500, ''],
    ['true', true, ''],
    ['an empty object', {}, ''],
    ['a list', ['a'], ''],
    ['terminal codes', { message: '\u001b[31mred\u001b[0m\u202e\n' }, 'red'],
  ])('of %s is for people', (_, body, message) => {
    expect(apiMessage(body)).toBe(message)
  })

  test('is short, however much there is', () => {
    const long = { errors: Array.from({ length: 1000 }, () => ({ message: 'a'.repeat(1000) })) }
    expect(apiMessage(long)).toHaveLength(300)
    expect(apiMessage('b'.repeat(65_536))).toHaveLength(300)
  })

  test('is found whatever JSON the body holds', () => {
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({
        errors: fc.array(
          fc.oneof(fc.jsonValue(), fc.record({ message: fc.jsonValue(), details: fc.jsonValue() })),
        ),
      }),
      fc.record({ message: fc.jsonValue() }),
    )
    fc.assert(
      fc.property(body, (one) => {
        expect(apiMessage(one).length).toBeLessThanOrEqual(300)
      }),
    )
  })

  test('does not stumble over details that are nested without end', () => {
    const depth = 30_000
    const details = JSON.parse('['.repeat(depth) + ']'.repeat(depth))
    expect(apiMessage(error(details))).toMatch(/^Invalid conversation ID/)
  })

  test.each(['<', '<a', '<script', '<style>', '<script></', '<style><script>', '\u001b]'])(
    'takes no time to find, though the text is full of %j',
    (piece) => {
      const before = process.cpuUsage()
      apiMessage(piece.repeat(65_536 / piece.length))
      expect(process.cpuUsage(before).user / 1000).toBeLessThan(200)
    },
  )
})
