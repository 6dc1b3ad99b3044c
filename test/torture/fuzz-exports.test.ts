import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { ApiAnswer } from '../../src/job.js'
import { eraseEndUsers } from '../../src/operations/erase-end-users.js'
import { apiOf, attempt, batchOf } from '../operations/batch-operation-contract.js'
import { answer, record, scene } from '../runs/scripted-export.js'
import { fuzzRuns, inTime } from './mutations.js'

/** Any JSON, with keys that mean something to readers or to JavaScript. */
const key = fc.constantFrom(
  ...'data items meta next_page_uri _id conversation_id date_updated errors message toString valueOf'.split(
    ' ',
  ),
  ...'constructor job_id status identifiers type value disposition'.split(' '),
)
const word = fc.oneof(
  fc.string(),
  fc.constantFrom('email', 'jane@example.com', 'completed', 'partial', 'failed', 'accepted', '..', '\ud800'),
)
const { json } = fc.letrec((tie) => ({
  json: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    word,
    fc.double(),
    fc.constantFrom(null, true, 0, -1, 1e308),
    fc.array(tie('json'), { maxLength: 4 }),
    fc.dictionary(key, tie('json'), { maxKeys: 5 }),
  ),
}))
const next = fc.oneof(
  json,
  fc.constantFrom('//evil.example/', 'http://[', '?', '#', '..', 'javascript:1', 'x'.repeat(9000), '/\ud800'),
)
const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 404, 408, 422, 500, 503)

test('whatever Data Export answers, an export ends: with a file, or with a sentence', async () => {
  const page = fc.oneof(
    json,
    fc.record({
      data: fc.array(fc.oneof(json, fc.constant(record(1)), fc.dictionary(key, json)), { maxLength: 4 }),
      meta: fc.record({ next_page_uri: next }),
    }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(status, page), { minLength: 1, maxLength: 4 }), async (pages) => {
      const stage = scene()
      const answers = (_path: string, nth: number): ApiAnswer => {
        const [code, body] = pages[(nth - 1) % pages.length]!
        // In the end there is a last page: an API may well have as many as it likes.
        return nth > 40 ? answer(200, { data: [] }) : answer(code, body)
      }
      const error = await inTime(
        stage.run(answers).then(
          () => null,
          (thrown: Error) => thrown,
        ),
      )
      if (error === null) return void stage.records()
      expect(['UsageError', 'ExportRefusedError', 'KeyRefusedError', 'ApiDownError']).toContain(error.name)
      expect(error.message).toMatch(/[\p{L}\p{N}]/u)
    }),
    fuzzRuns(60),
  )
})

test('whatever the API says of a deletion job, everybody has an outcome or is asked for again', async () => {
  const operation = eraseEndUsers.withFlags({ 'identifier-type': 'email' })
  const batch = batchOf({ value: 'jane@example.com' }, { value: 'joe@example.com' })
  const said = fc.oneof(
    json,
    fc.record({
      job_id: json,
      status: fc.constantFrom('completed', 'partial', 'failed', 'queued', null),
      identifiers: fc.oneof(json, fc.array(fc.dictionary(key, json), { maxLength: 5 })),
      failure_reason: json,
    }),
  )
  await fc.assert(
    fc.asyncProperty(status, said, word, async (code, body, job) => {
      const api = apiOf(answer(code, body))
      const { outcomes } = await operation.ask(job, batch, api, attempt)
      for (const outcome of outcomes ?? []) expect(outcome.message).not.toMatch(/\p{Cc}/u)
      expect([undefined, 2]).toContain(outcomes?.length)
      const submitted = await operation.submit(batch, api, attempt)
      if (submitted.job !== null) expect(submitted.job).toMatch(/^[^\p{C}\s]+$/u)
    }),
    fuzzRuns(500),
  )
})
