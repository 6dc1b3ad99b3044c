import { expect, test } from 'vitest'
import endHandoffs from '../../jobs/end-handoffs.js'
import type { Api, ApiAnswer, ApiRequest } from '../../src/job.js'
import { endHandoff } from '../../src/operations/end-handoff.js'
import { noQuota } from '../../src/settings/limits.js'

const { signal } = new AbortController()
const id = '66f2a91c4be07d3f5c1e0200'

async function attempt(answer: ApiAnswer, { isAfterLostAnswer = false, of = id } = {}) {
  const requests: ApiRequest[] = []
  const api: Api = {
    async call(request) {
      requests.push(request)
      return answer
    },
  }
  const item = { ordinal: 0, id: of, source: 'handoffs.csv', line: 2, record: () => ({}) }
  const verdict = await endHandoff.attempt(item, api, {
    earlierCalls: 0,
    isAfterLostAnswer,
    leaves() {},
    stopSignal: signal,
    abortSignal: signal,
  })
  return { requests, verdict }
}

const answerOf = (status: number, message = ''): ApiAnswer => ({
  kind: 'answer',
  status,
  body: { errors: [{ type: 'validation_error', message, details: null }] },
  quota: noQuota,
  dateMs: null,
})

test('a handoff is ended with one POST without a body', async () => {
  const { requests, verdict } = await attempt({
    kind: 'answer',
    status: 200,
    body: {},
    quota: noQuota,
    dateMs: null,
  })
  expect(requests).toEqual([{ method: 'POST', path: `/api/v2/conversations/${id}/end-handoff/`, signal }])
  expect(verdict).toMatchObject({
    kind: 'settled',
    outcome: { status: 'succeeded', reason: 'handoff_ended', httpStatus: 200 },
  })
})

test('an ID goes into the path as it is written', async () => {
  const { requests } = await attempt(answerOf(404), { of: 'a b?c' })
  expect(requests[0]!.path).toBe('/api/v2/conversations/a%20b%3Fc/end-handoff/')
})

test.each([
  [422, false, 'succeeded', 'not_in_handoff'],
  [422, true, 'succeeded', 'handoff_ended_on_retry'],
  [404, false, 'failed', 'not_found'],
  [400, false, 'failed', 'rejected'],
] as const)('%i (after a lost answer: %s) is %s, %s', async (status, isAfterLostAnswer, expected, reason) => {
  const { verdict } = await attempt(answerOf(status, 'No handoff is active'), { isAfterLostAnswer })
  expect(verdict).toMatchObject({
    kind: 'settled',
    outcome: { status: expected, reason, httpStatus: status, message: 'No handoff is active' },
  })
})

test.each([
  [401, 'refused'],
  [429, 'rate_limited'],
  [503, 'again'],
])('%i means what it means everywhere', async (status, kind) => {
  expect((await attempt(answerOf(status))).verdict.kind).toBe(kind)
})

test('the job is nothing but the operation and the filters', () => {
  expect(endHandoffs).toMatchObject({ operation: endHandoff })
  expect(endHandoffs).not.toHaveProperty('remembers')
})
