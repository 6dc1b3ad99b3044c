import { expect, test } from 'vitest'
import type { BatchOperation, Operation, Submitted } from '../../src/job.js'
import { eraseEndUsers } from '../../src/operations/erase-end-users.js'
import { BatchCalls } from '../../src/runs/batch-calls.js'
import { noQuota } from '../../src/settings/limits.js'
import { Stop } from '../../src/system/stop.js'
import { FakeClock } from '../fake-clock.js'
import { batchOf } from '../operations/batch-operation-contract.js'

const hourMs = 3_600_000
const timedOut: Submitted = {
  job: null,
  verdict: {
    kind: 'again',
    cause: 'lost',
    quota: noQuota,
    outcome: { status: 'unknown', reason: 'timeout', httpStatus: null, message: '' },
  },
}
const accepted: Submitted = {
  job: 'deletion-7',
  verdict: {
    kind: 'settled',
    quota: noQuota,
    outcome: { status: 'succeeded', reason: 'accepted', httpStatus: 202, message: '' },
  },
}

/** Calls whose turn comes after `turnMs`, with these answers. */
function scene(turnMs: readonly number[], ...answers: Submitted[]) {
  const clock = new FakeClock()
  const notes: string[] = []
  const remembered: string[] = []
  const waits = [...turnMs]
  let sent = 0
  const operation: BatchOperation = {
    ...eraseEndUsers.withFlags({ 'identifier-type': 'email' }),
    submit: async () => answers[sent++]!,
  }
  const stop = new Stop()
  const calls = new BatchCalls({
    operation,
    session: {
      pace: (one): Operation => ({
        ...one,
        async attempt(item, api, attempt) {
          await clock.sleep(waits.shift() ?? 0)
          attempt.leaves()
          return one.attempt(item, api, attempt)
        },
      }),
      api: { call: () => Promise.reject(new Error('nobody calls')) },
    },
    checkpoint: {
      note: (event) => void notes.push(event.event === 'batch' ? event.did : event.event),
      synced: async () => {},
    },
    pollForMs: 0,
    cooldown: {
      submittedAtMs: () => null,
      add: () => void remembered.push('add'),
      withdraw: () => void remembered.push('withdraw'),
    },
    policy: {
      attemptsMax: 5,
      clock,
      random: () => 0,
      stopSignal: stop.signal,
      abortSignal: stop.abortSignal,
    },
  })
  const submitted = calls.submit(batchOf({ value: 'jane@example.com' }), { calls: 0, isAnswerLost: false })
  const result = async () => {
    await clock.advance(60 * hourMs)
    return submitted
  }
  return { result, notes, remembered, sent: () => sent }
}

test('a batch whose answer was lost is sent again, under the same reference', async () => {
  const { result, notes, sent } = scene([], timedOut, accepted)
  expect(await result()).toMatchObject({ job: 'deletion-7', attempts: 2 })
  expect([sent(), notes]).toEqual([2, ['sent', 'sent', 'accepted']])
})

test('not if its turn comes only after a day: the reference would not tell that it is the same', async () => {
  const { result, remembered, sent } = scene([0, 24 * hourMs], timedOut, accepted)
  expect(await result()).toMatchObject({ job: null, outcome: { status: 'unknown' } })
  expect([sent(), remembered]).toEqual([1, ['add']])
})

test('who was refused for certain may be handed over again at once; in doubt they are remembered', async () => {
  const refused = (httpStatus: number): Submitted => ({
    job: null,
    verdict: {
      kind: 'settled',
      quota: noQuota,
      outcome: { status: 'failed', reason: 'rejected', httpStatus, message: '' },
    },
  })
  const certain = scene([], refused(400))
  await certain.result()
  expect(certain.remembered).toEqual(['add', 'withdraw'])
  const inDoubt = scene([], timedOut, refused(400))
  await inDoubt.result()
  expect(inDoubt.remembered).toEqual(['add', 'add'])
})
