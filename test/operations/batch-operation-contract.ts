import { describe, expect, test } from 'vitest'
import type { Item } from '../../src/item.js'
import type { Api, ApiAnswer, ApiRequest, Batch, BatchOperation } from '../../src/job.js'
import { noQuota } from '../../src/settings/limits.js'

export const attempt = {
  earlierCalls: 0,
  isAfterLostAnswer: false,
  leaves() {},
  stopSignal: new AbortController().signal,
  abortSignal: new AbortController().signal,
}

/** A batch of rows with the item's ID in `value`. */
export function batchOf(...rows: ({ value: string } & Record<string, string>)[]): Batch {
  const items = rows.map(
    (row, ordinal): Item => ({
      ordinal,
      id: row.value,
      source: 'end-users.csv',
      line: ordinal + 2,
      record: () => row,
    }),
  )
  return { items, reference: 'ada-bulk-0f0f' }
}

/** An API that always says the same, and remembers what it was asked. */
export function apiOf(answer: ApiAnswer): Api & { requests: ApiRequest[] } {
  const requests: ApiRequest[] = []
  return {
    requests,
    async call(request) {
      requests.push(request)
      return answer
    },
  }
}

export const answerOf = (status: number, body?: unknown): ApiAnswer => ({
  kind: 'answer',
  status,
  body,
  quota: noQuota,
  dateMs: null,
})

/** What every operation on batches promises. `accepting` and `finished` are answers of the API. */
export function itKeepsTheBatchOperationContract(
  operation: BatchOperation,
  values: readonly string[],
  answers: { accepting: ApiAnswer; finished: ApiAnswer },
): void {
  const batch = batchOf(...values.map((value) => ({ value })))

  describe('as an operation on batches', () => {
    test('it hands over with one call, the same for the same batch, and with its reference', async () => {
      const api = apiOf(answers.accepting)
      const first = await operation.submit(batch, api, attempt)
      await operation.submit(batch, api, { ...attempt, earlierCalls: 1, isAfterLostAnswer: true })
      expect(first).toMatchObject({ job: expect.any(String), verdict: { outcome: { status: 'succeeded' } } })
      expect(api.requests).toHaveLength(2)
      expect(api.requests[1]).toEqual(api.requests[0])
      expect(JSON.stringify(api.requests[0]!.body)).toContain(batch.reference)
    })

    test('it counts at least the bytes that it sends', async () => {
      const api = apiOf(answers.accepting)
      await operation.submit(batch, api, attempt)
      const bytes = batch.items.reduce((sum, item) => sum + operation.bytesOf(item), operation.bytesOfFrame)
      expect(bytes).toBeGreaterThanOrEqual(Buffer.byteLength(JSON.stringify(api.requests[0]!.body)))
    })

    test.each([400, 401, 413, 429, 500, 503])('it has no job after a %i', async (status) => {
      const { job, verdict } = await operation.submit(batch, apiOf(answerOf(status)), attempt)
      expect(job).toBeNull()
      expect(verdict.outcome).toMatchObject({ status: 'failed', httpStatus: status })
    })

    test('it is in doubt when the answer is lost', async () => {
      const lost = apiOf({ kind: 'lost', reason: 'timeout', message: 'no answer within 30 s' })
      expect(await operation.submit(batch, lost, attempt)).toMatchObject({
        job: null,
        verdict: { kind: 'again', cause: 'lost', outcome: { status: 'unknown' } },
      })
    })

    test('it has an outcome for each item when the job is over, and none before', async () => {
      const { outcomes } = await operation.ask('job-7', batch, apiOf(answers.finished), attempt)
      expect(outcomes).toHaveLength(values.length)
      for (const status of [200, 429, 503]) {
        const asked = await operation.ask('job-7', batch, apiOf(answerOf(status, {})), attempt)
        expect(asked.outcomes).toBeNull()
      }
    })

    test('it only reads when it asks', async () => {
      const api = apiOf(answers.finished)
      await operation.ask('job-7', batch, api, attempt)
      expect(api.requests.map(({ method }) => method)).toEqual(['GET'])
    })

    test('it tells its items apart', () => {
      expect(new Set(batch.items.map(operation.identityOf)).size).toBe(values.length)
    })
  })
}
