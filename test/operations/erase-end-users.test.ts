import { describe, expect, test } from 'vitest'
import type { Batch } from '../../src/job.js'
import { eraseEndUsers } from '../../src/operations/erase-end-users.js'
import {
  answerOf,
  apiOf,
  attempt,
  batchOf,
  itKeepsTheBatchOperationContract,
} from './batch-operation-contract.js'

const byEmail = eraseEndUsers.withFlags({ 'identifier-type': 'email' })

itKeepsTheBatchOperationContract(byEmail, ['jane@example.com', 'jörg@example.com', 'jane\\doe@example.com'], {
  accepting: answerOf(202, { job_id: 'job-7', status: 'queued' }),
  finished: answerOf(200, { job_id: 'job-7', status: 'completed', identifiers: [] }),
})

describe('handing a batch over', () => {
  test('is one POST with every identifier and the reference', async () => {
    const api = apiOf(answerOf(202, { job_id: 'deletion-7', status: 'queued' }))
    const submitted = await byEmail.submit(batchOf({ value: 'jane@example.com' }), api, attempt)
    expect(api.requests).toEqual([
      {
        method: 'POST',
        path: '/api/v2/end-users/delete',
        body: {
          identifiers: [{ type: 'email', value: 'jane@example.com' }],
          client_reference: 'ada-bulk-0f0f',
        },
        signal: attempt.abortSignal,
      },
    ])
    expect(submitted).toMatchObject({ job: 'deletion-7', verdict: { outcome: { status: 'succeeded' } } })
  })

  test('takes the kind of identifier from a column, and the variable where one is matched', async () => {
    const api = apiOf(answerOf(202, { job_id: 'deletion-7' }))
    const operation = eraseEndUsers.withFlags({ 'type-column': 'kind', variable: 'account' })
    const batch = batchOf(
      { value: '66f2a91c4be07d3f5c1e0001', kind: 'end_user_id' },
      { value: 'A-17', kind: 'variable_match' },
    )
    await operation.submit(batch, api, attempt)
    expect(api.requests[0]!.body).toMatchObject({
      identifiers: [
        { type: 'end_user_id', value: '66f2a91c4be07d3f5c1e0001' },
        { type: 'variable_match', value: 'A-17', variable: 'account' },
      ],
    })
  })

  test('is in doubt when the answer names no job', async () => {
    const api = apiOf(answerOf(202, {}))
    expect(await byEmail.submit(batchOf({ value: 'jane@example.com' }), api, attempt)).toMatchObject({
      job: null,
      verdict: { kind: 'again', cause: 'lost' },
    })
  })
})

async function asked(status: string, identifiers: object[], batch: Batch, more = {}) {
  const api = apiOf(answerOf(200, { job_id: 'deletion-7', status, identifiers, ...more }))
  const { outcomes } = await byEmail.ask('deletion-7', batch, api, attempt)
  return outcomes?.map(({ status, reason, message }) => [status, reason, message]) ?? null
}

describe('what became of a batch', () => {
  const batch = batchOf({ value: 'Jane@example.com' })
  const email = (disposition: string, more = {}) => ({
    type: 'email',
    value: 'jane@example.com',
    disposition,
    ...more,
  })

  test.each(['queued', 'in_progress', 'paused_for_review'])('is open while the job is %s', async (status) => {
    expect(await asked(status, [], batch)).toBeNull()
  })

  test.each([
    ['accepted', { matched_chatters: 2 }, ['succeeded', 'erased', 'end users matched: 2']],
    ['not_found', {}, ['succeeded', 'no_such_user', '']],
    ['invalid', { reason: 'Not an address' }, ['failed', 'rejected', 'Not an address']],
    ['exceeds_limit', { reason: 'Too many' }, ['failed', 'exceeds_limit', 'Too many']],
    ['duplicate', {}, ['duplicate', 'duplicate', '']],
    ['postponed', {}, ['unknown', 'new_disposition', 'postponed']],
  ])('%s is told for each identifier', async (disposition, more, expected) => {
    expect(await asked('partial', [email(disposition, more)], batch)).toEqual([expected])
    expect(await asked('completed', [email(disposition, more)], batch)).toEqual([expected])
  })

  test('is unknown for an identifier that the job says nothing about', async () => {
    expect(await asked('completed', [], batch)).toEqual([['unknown', 'no_disposition', expect.any(String)]])
  })

  test('is a failure for all when the job has failed, with its reason', async () => {
    const more = { failure_reason: 'identifier_submitted_within_cooldown' }
    expect(await asked('failed', [email('accepted')], batch, more)).toEqual([
      ['failed', 'job_failed', 'deletion-7: identifier_submitted_within_cooldown'],
    ])
  })

  test('goes to each by name, whatever the order of the answer', async () => {
    const two = batchOf({ value: 'jane@example.com' }, { value: 'john@example.com' })
    const answer = [{ type: 'email', value: 'john@example.com', disposition: 'invalid' }, email('not_found')]
    expect(await asked('partial', answer, two)).toMatchObject([
      ['succeeded', 'no_such_user', ''],
      ['failed', 'rejected', ''],
    ])
  })

  test('nobody knows when the job is gone', async () => {
    const api = apiOf(answerOf(404, { errors: [{ type: 'resource_not_found', message: 'No such job' }] }))
    const { outcomes } = await byEmail.ask('deletion-7', batch, api, attempt)
    expect(outcomes).toMatchObject([{ status: 'unknown', reason: 'job_lost', httpStatus: 404 }])
  })

  test('stays open when the question came to nothing', async () => {
    const api = apiOf(answerOf(503))
    expect(await byEmail.ask('deletion-7', batch, api, attempt)).toMatchObject({
      outcomes: null,
      verdict: { kind: 'again' },
    })
  })
})

describe('an answer that nobody can make sense of', () => {
  const jane = { value: 'jane@example.com' }
  const ask = (identifiers: unknown) =>
    byEmail.ask('job-7', batchOf(jane), apiOf(answerOf(200, { status: 'completed', identifiers })), attempt)

  test.each<[string, unknown]>([
    ['nothing', [null, undefined, 5, 'jane@example.com', []]],
    [
      'a value that cannot become a text',
      [{ type: 'email', value: { toString: 1 }, disposition: 'accepted' }],
    ],
    ['no list', { 0: {} }],
  ])('%s: what became of her is unknown', async (_, identifiers) => {
    expect((await ask(identifiers)).outcomes).toMatchObject([{ status: 'unknown', reason: 'no_disposition' }])
  })

  test('a disposition that is no word is a new one', async () => {
    const { outcomes } = await ask([{ type: 'email', ...jane, disposition: { toString: 1 } }])
    expect(outcomes).toMatchObject([{ status: 'unknown', reason: 'new_disposition' }])
  })

  test('the same disposition a million times takes no longer than reading it', async () => {
    const startedMs = performance.now()
    await ask(Array.from({ length: 200_000 }, () => ({ type: 'email', value: 'x', disposition: 'accepted' })))
    expect(performance.now() - startedMs).toBeLessThan(10_000)
  })

  test.each(['..', '\ud800', ' ', '\u001b[2J', 'x'.repeat(5000)])(
    'a job that is called %j is not asked for: the answer is in doubt',
    async (job) => {
      const submitted = await byEmail.submit(batchOf(jane), apiOf(answerOf(202, { job_id: job })), attempt)
      expect(submitted).toMatchObject({ job: null, verdict: { kind: 'again', cause: 'lost' } })
    },
  )

  test('a job that a checkpoint calls by half a character is asked for all the same', async () => {
    const api = apiOf(answerOf(404, {}))
    await byEmail.ask('job-\ud800', batchOf(jane), api, attempt)
    expect(api.requests[0]!.path).toBe(`/api/v2/jobs/${encodeURIComponent('job-\ufffd')}`)
  })
})
