import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ApiAnswer } from '../../src/job.js'
import { apiMessage, settledBy, verdictOf } from '../../src/operations/answer.js'
import { noQuota } from '../../src/settings/limits.js'

const quota = { ...noQuota, remaining: 12 }

type Answer = Extract<ApiAnswer, { kind: 'answer' }>

function answer(status: number, body: unknown = undefined, more: Partial<Answer> = {}): Answer {
  return { kind: 'answer', status, body, quota, dateMs: null, ...more }
}

const envelope = { errors: [{ type: 'forbidden', message: 'Not permitted', details: null }] }
const page = '<html><title>Just a moment...</title></html>'

describe('a verdict', () => {
  test.each([
    [301, 'settled', 'failed', 'rejected'],
    [307, 'settled', 'failed', 'rejected'],
    [400, 'settled', 'failed', 'rejected'],
    [401, 'refused', 'failed', 'rejected'],
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

  test.each([{}, { message: 'Conversation ended successfully.' }])(
    'of a 200 with a JSON object is a success: %j',
    (body) => {
      expect(verdictOf(answer(200, body), 'ended')).toMatchObject({
        kind: 'settled',
        outcome: { status: 'succeeded', reason: 'ended', httpStatus: 200 },
      })
    },
  )

  test.each([
    ['an empty body', answer(200), /without a confirmation/],
    ['a text', answer(200, 'Access denied'), /Access denied/],
    ['a web page', answer(200, '<!doctype html><title>Sign in</title>'), /web page/],
    ['a web page after a line', answer(200, '\n <html><body>Welcome</body></html>'), /web page/],
    ['XML', answer(200, '<?xml version="1.0"?><Error/>'), /web page/],
    ['null', answer(200, null), /without a confirmation/],
    ['a list', answer(200, []), /without a confirmation/],
    ['a number', answer(200, 1), /without a confirmation/],
    ['errors', answer(200, envelope), /Not permitted/],
    ['no errors in a list of errors', answer(200, { errors: [] }), /without a confirmation/],
    ['half a body', answer(200, '{"mess', { isBroken: true }), /without a confirmation/],
    [
      'a body that is not what its headers announce',
      answer(200, {}, { isBroken: true }),
      /without a confirmation/,
    ],
    ['201', answer(201, {}), /HTTP 201/],
    ['202', answer(202, {}), /HTTP 202/],
    ['204', answer(204), /HTTP 204/],
    ['a challenge', answer(202, undefined, { headers: { 'x-amzn-waf-action': 'challenge' } }), /AWS WAF/],
    ['a challenge in JSON', answer(200, {}, { headers: { 'cf-mitigated': 'challenge' } }), /Cloudflare/],
  ])('of a success with %s is unconfirmed', (_name, odd, message) => {
    expect(verdictOf(odd, 'ended')).toMatchObject({
      kind: 'again',
      cause: 'unconfirmed',
      outcome: {
        status: 'unknown',
        reason: 'unconfirmed',
        httpStatus: odd.status,
        message: expect.stringMatching(message),
      },
    })
  })

  test.each([envelope, { message: 'Forbidden' }])('of a 403 in the words of the API refuses: %j', (body) => {
    const headers = { server: 'cloudflare', 'cf-ray': '8f1' }
    expect(verdictOf(answer(403, body, { headers }), 'ended')).toMatchObject({
      kind: 'refused',
      outcome: { status: 'failed', reason: 'forbidden', httpStatus: 403 },
    })
  })

  test.each([
    ['a web page', answer(403, page), /a web page.*Just a moment/],
    ['nothing', answer(403), /firewall or proxy/],
    [
      'a page of Cloudflare',
      answer(403, page, { headers: { 'cf-ray': '8f1' } }),
      /Cloudflare.*Just a moment/,
    ],
    ['a server that is Cloudflare', answer(403, 'no', { headers: { server: 'cloudflare' } }), /Cloudflare/],
    ['a block of AWS WAF', answer(403, envelope, { headers: { 'x-amzn-waf-action': 'block' } }), /AWS WAF/],
    ['a captcha of AWS WAF', answer(405, '', { headers: { 'x-amzn-waf-action': 'captcha' } }), /AWS WAF/],
  ])('of a refusal by %s is another try that says who answered', (_name, refusal, message) => {
    expect(verdictOf(refusal, 'ended')).toMatchObject({
      kind: 'again',
      cause: 'answered',
      outcome: { status: 'failed', reason: 'server_error', message: expect.stringMatching(message) },
    })
  })

  test.each([400, 403, 404, 409, 422])('of a %i that was cut off is a lost answer', (status) => {
    expect(verdictOf(answer(status, '{"errors":[{"mess', { isBroken: true }), 'ended')).toMatchObject({
      kind: 'again',
      cause: 'lost',
      outcome: { status: 'unknown', reason: 'connection_lost', httpStatus: status },
    })
  })

  test.each([401, 408, 429, 500])('of a %i that was cut off is that of its status', (status) => {
    const { kind, outcome } = verdictOf(answer(status, '{"mess', { isBroken: true }), 'ended')
    expect({ kind, outcome }).toMatchObject({
      kind: verdictOf(answer(status), 'ended').kind,
      outcome: { status: 'failed' },
    })
  })

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
