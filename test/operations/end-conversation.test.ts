import { describe, expect, test } from 'vitest'
import type { Item } from '../../src/item.js'
import type { Api, ApiAnswer, ApiRequest, Verdict } from '../../src/job.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { noQuota } from '../../src/settings/limits.js'

const { signal: stopSignal } = new AbortController()
const { signal: abortSignal } = new AbortController()

interface Asked {
  requests: ApiRequest[]
  verdict: Verdict
}

async function attempt(
  answer: ApiAnswer,
  { id = '66f2a91c4be07d3f5c1e0001', isAfterLostAnswer = false } = {},
): Promise<Asked> {
  const requests: ApiRequest[] = []
  const api: Api = {
    async call(request) {
      requests.push(request)
      return answer
    },
  }
  const item: Item = { ordinal: 0, id, source: 'conversations.csv', line: 2, record: () => ({}) }
  const verdict = await endConversation.attempt(item, api, {
    earlierCalls: 0,
    isAfterLostAnswer,
    leaves() {},
    stopSignal,
    abortSignal,
  })
  return { requests, verdict }
}

function answerOf(status: number, body?: unknown): ApiAnswer {
  return { kind: 'answer', status, body, quota: noQuota, dateMs: null }
}

const refusal = (message: string) =>
  answerOf(400, { errors: [{ type: 'validation_error', message, details: null }] })

test.each([
  ['66f2a91c4be07d3f5c1e0001', '/api/v2/conversations/66f2a91c4be07d3f5c1e0001/end/'],
  ['a b', '/api/v2/conversations/a%20b/end/'],
  ['a?b#c', '/api/v2/conversations/a%3Fb%23c/end/'],
  ['%2e%2e', '/api/v2/conversations/%252e%252e/end/'],
  ['ä🙂', '/api/v2/conversations/%C3%A4%F0%9F%99%82/end/'],
])('%j is ended with one POST without a body to its own address', async (id, path) => {
  const { requests } = await attempt(answerOf(200), { id })
  expect(requests).toEqual([{ method: 'POST', path, signal: abortSignal }])
})

test('a 200 has ended the conversation', async () => {
  const { verdict } = await attempt(answerOf(200, { message: 'Conversation ended successfully.' }))
  expect(verdict).toMatchObject({
    kind: 'settled',
    outcome: { status: 'succeeded', reason: 'ended', httpStatus: 200 },
  })
})

describe('a 400 that says that the conversation is over', () => {
  const messages = [
    'Conversation is expired',
    'Conversation has expired.',
    'Conversation already ended',
    'This conversation has already been ended.',
    'The conversation has ended.',
    'conversation has been ended',
    'Conversation is already closed',
    'CONVERSATION IS EXPIRED',
  ]

  test.each(messages)('is a success: %s', async (message) => {
    const { verdict } = await attempt(refusal(message))
    expect(verdict).toMatchObject({
      kind: 'settled',
      outcome: { status: 'succeeded', reason: 'already_ended', httpStatus: 400, message },
    })
  })

  test.each(messages)('may be our own work when an earlier answer was lost: %s', async (message) => {
    const { verdict } = await attempt(refusal(message), { isAfterLostAnswer: true })
    expect(verdict).toMatchObject({
      kind: 'settled',
      outcome: { status: 'succeeded', reason: 'ended_on_retry' },
    })
  })

  test.each([
    [{ message: 'Conversation is expired' }],
    ['<h1>Conversation is expired</h1>'],
    [{ errors: [{ message: 'Bad request', details: [{ message: 'Conversation is expired' }] }] }],
  ])('is understood in every form of body: %j', async (body) => {
    expect((await attempt(answerOf(400, body))).verdict.outcome.reason).toBe('already_ended')
  })
})

test.each([
  'Invalid conversation ID',
  'Conversation cannot be ended',
  'Only active conversations can be ended',
  'The conversation has not ended',
  'Conversation is unexpired',
  '',
])('a 400 that says something else is a failure: %j', async (message) => {
  const { verdict } = await attempt(refusal(message), { isAfterLostAnswer: true })
  expect(verdict).toMatchObject({
    kind: 'settled',
    outcome: { status: 'failed', reason: 'rejected', httpStatus: 400 },
  })
})

test.each([404, 409, 410, 422])('only a 400 is read that way, not a %i', async (status) => {
  const { verdict } = await attempt(answerOf(status, { message: 'Conversation is expired' }))
  expect(verdict.outcome.status).toBe('failed')
})

test('everything else means what it means everywhere', async () => {
  expect((await attempt(answerOf(401))).verdict.kind).toBe('refused')
  expect((await attempt(answerOf(429))).verdict.kind).toBe('rate_limited')
  expect((await attempt(answerOf(503))).verdict.kind).toBe('again')
  expect((await attempt({ kind: 'lost', reason: 'timeout', message: '' })).verdict).toMatchObject({
    kind: 'again',
    cause: 'lost',
  })
})
