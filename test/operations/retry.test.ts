import { describe, expect, test } from 'vitest'
import type { Item, Outcome, PriorCalls } from '../../src/item.js'
import type { AgainCause, Api, Attempt, Operation, Verdict } from '../../src/job.js'
import {
  type ApiHealth,
  KeyRefusedError,
  retryDelayMs,
  type Settlement,
  settleWithRetries,
} from '../../src/operations/retry.js'
import { noQuota } from '../../src/settings/limits.js'
import { Stop, Stopped } from '../../src/system/stop.js'
import { FakeClock } from '../fake-clock.js'

const item: Item = {
  ordinal: 6,
  id: '66f2a91c4be07d3f5c1e0001',
  source: 'conversations.csv',
  line: 8,
  record: () => ({}),
}
const api: Api = { call: () => Promise.reject(new Error('nobody calls')) }

const outcomeOf = (status: Outcome['status'], reason: string, httpStatus: number | null = null): Outcome => ({
  status,
  reason,
  httpStatus,
  message: '',
})
const ended: Verdict = { kind: 'settled', quota: noQuota, outcome: outcomeOf('succeeded', 'ended', 200) }
const notFound: Verdict = { kind: 'settled', quota: noQuota, outcome: outcomeOf('failed', 'not_found', 404) }
const rateLimited: Verdict = {
  kind: 'rate_limited',
  quota: noQuota,
  outcome: outcomeOf('failed', 'rate_limited', 429),
}
const refused: Verdict = {
  kind: 'refused',
  quota: noQuota,
  outcome: { ...outcomeOf('failed', 'rejected', 401), message: 'Unauthorized' },
}
const again = (cause: AgainCause, outcome: Outcome): Verdict => ({
  kind: 'again',
  cause,
  quota: noQuota,
  outcome,
})
const serverError = again('answered', outcomeOf('failed', 'server_error', 503))
const unreachable = again('unreachable', outcomeOf('failed', 'network_error'))
const timedOut = again('lost', outcomeOf('unknown', 'timeout'))
const cutOff = again('lost', outcomeOf('unknown', 'connection_lost'))
const probe = (verdict: Verdict): Verdict => ({ ...verdict, isProbe: true }) as Verdict

interface Run {
  clock: FakeClock
  stop: Stop
  /** What each attempt was told. */
  attempts: Pick<Attempt, 'earlierCalls' | 'isAfterLostAnswer'>[]
  /** When each call left, in milliseconds from the start. */
  leftAtMs: number[]
  notes: string[]
  result: Promise<Settlement>
}

/** Plays the verdicts in their order, the last one again and again. */
function play(
  verdicts: readonly Verdict[],
  {
    attemptsMax = 5,
    earlier = { calls: 0, isAnswerLost: false } as PriorCalls,
    random = (): number => 0,
    health = undefined as ApiHealth | undefined,
  } = {},
): Run {
  const clock = new FakeClock()
  const stop = new Stop()
  const startMs = clock.monotonicMs()
  const run: Omit<Run, 'result'> = { clock, stop, attempts: [], leftAtMs: [], notes: [] }
  const operation: Operation = {
    name: 'end-conversation',
    verb: 'end',
    noun: 'conversation',
    limits: [],
    async attempt(_item, _api, attempt) {
      attempt.leaves()
      const { earlierCalls, isAfterLostAnswer } = attempt
      run.leftAtMs.push(clock.monotonicMs() - startMs)
      return verdicts[Math.min(run.attempts.push({ earlierCalls, isAfterLostAnswer }), verdicts.length) - 1]!
    },
  }
  const result = settleWithRetries(
    operation,
    api,
    item,
    earlier,
    {
      attemptsMax,
      clock,
      random,
      stopSignal: stop.signal,
      abortSignal: stop.abortSignal,
      ...(health && { health }),
    },
    {
      sent: ({ ordinal }) => run.notes.push(`sent ${ordinal}`),
      back: ({ ordinal }, { reason }) => run.notes.push(`back ${ordinal} ${reason}`),
    },
  )
  result.catch(() => {})
  return { ...run, result }
}

async function settlementOf(run: Run): Promise<Settlement> {
  await run.clock.advance(3_600_000)
  return run.result
}

describe('the delay before another try', () => {
  test.each([
    // calls so far, random, ms
    [0, 0, 1000],
    [1, 0, 1000],
    [9, 0, 1000],
    [1, 1, 2000],
    [2, 1, 3000],
    [3, 1, 5000],
    [4, 1, 9000],
    [5, 1, 17_000],
    [6, 1, 31_000],
    [7, 1, 31_000],
    [100, 1, 31_000],
    [5000, 1, 31_000],
    [3, 0.5, 3000],
  ])('after %i calls, with chance at %f, is %i ms', (calls, chance, ms) => {
    expect(retryDelayMs(calls, () => chance)).toBe(ms)
  })
})

describe('an item', () => {
  test.each([
    // what the API does, outcome, attempts
    ['works at once', [ended], ended, 1],
    ['is not there', [notFound], notFound, 1],
    ['works after server errors', [serverError, serverError, ended], ended, 3],
    ['works at the last try', [serverError, timedOut, unreachable, serverError, ended], ended, 5],
    ['fails every time', [serverError], serverError, 5],
    ['is never reached', [unreachable], unreachable, 5],
    ['never answers', [timedOut], timedOut, 5],
    ['does not answer at last', [serverError, serverError, serverError, serverError, timedOut], timedOut, 5],
    ['answers at last, with an error', [timedOut, timedOut, timedOut, timedOut, serverError], serverError, 5],
    ['is not reached after it did not answer', [timedOut, unreachable], timedOut, 5],
    ['is not reached after two silences', [timedOut, cutOff, serverError, unreachable], cutOff, 5],
    ['lets it through after 429s', [rateLimited, rateLimited, ended], ended, 3],
  ])('that %s has its outcome', async (_, verdicts, { outcome }, attempts) => {
    expect(await settlementOf(play(verdicts))).toEqual({ outcome, attempts })
  })

  test('is given up after as many calls as are allowed', async () => {
    for (const attemptsMax of [1, 2, 7]) {
      const run = play([serverError], { attemptsMax })
      expect((await settlementOf(run)).attempts).toBe(attemptsMax)
      expect(run.attempts).toHaveLength(attemptsMax)
    }
  })

  test('that is told to wait has that not counted', async () => {
    const run = play([rateLimited, serverError, rateLimited, serverError, rateLimited, ended], {
      attemptsMax: 3,
    })
    expect(await settlementOf(run)).toEqual({ outcome: ended.outcome, attempts: 6 })
  })

  test('that is told to wait without end is given up', async () => {
    expect(await settlementOf(play([rateLimited]))).toEqual({ outcome: rateLimited.outcome, attempts: 21 })
  })

  test('used as a probe has that not counted', async () => {
    const run = play([serverError, ...Array(30).fill(probe(serverError)), serverError, ended], {
      attemptsMax: 3,
    })
    expect(await settlementOf(run)).toEqual({ outcome: ended.outcome, attempts: 33 })
  })

  test('tried again leaves at least a second after the call before', async () => {
    const run = play([serverError, timedOut, unreachable, serverError, ended])
    await settlementOf(run)
    expect(run.leftAtMs).toEqual([0, 1000, 2000, 3000, 4000])
  })

  test('waits longer with every try, up to chance', async () => {
    const run = play([serverError, serverError, serverError, ended], { random: () => 0.5 })
    await settlementOf(run)
    expect(run.leftAtMs).toEqual([0, 1500, 3500, 6500])
  })
})

describe('an attempt', () => {
  test('knows the calls before it, and whether one of them was not answered', async () => {
    const run = play([serverError, timedOut, rateLimited, serverError, ended])
    await settlementOf(run)
    expect(run.attempts).toEqual([
      { earlierCalls: 0, isAfterLostAnswer: false },
      { earlierCalls: 1, isAfterLostAnswer: false },
      { earlierCalls: 2, isAfterLostAnswer: true },
      { earlierCalls: 3, isAfterLostAnswer: true },
      { earlierCalls: 4, isAfterLostAnswer: true },
    ])
  })

  test('of a resumed run knows those of the run before', async () => {
    const run = play([ended], { earlier: { calls: 3, isAnswerLost: true } })
    expect(await settlementOf(run)).toEqual({ outcome: ended.outcome, attempts: 4 })
    expect(run.attempts).toEqual([{ earlierCalls: 3, isAfterLostAnswer: true }])
    expect(
      (await settlementOf(play([serverError], { earlier: { calls: 4, isAnswerLost: false } }))).attempts,
    ).toBe(9)
  })

  test('that never gets there leaves the answer unknown that the run before lost', async () => {
    const { outcome } = await settlementOf(play([unreachable], { earlier: { calls: 1, isAnswerLost: true } }))
    expect(outcome).toMatchObject({ status: 'unknown', reason: 'connection_lost' })
    expect(outcome.message).toContain('the run stopped before the answer')
  })
})

test('what was sent and what came back is noted, but not what settles the item or was lost', async () => {
  const run = play([serverError, rateLimited, timedOut, unreachable, ended])
  await settlementOf(run)
  expect(run.notes).toEqual([
    ...['sent 6', 'back 6 server_error', 'sent 6', 'back 6 rate_limited', 'sent 6'],
    ...['sent 6', 'back 6 network_error', 'sent 6'],
  ])
})

test('a refused key is thrown at once, noted as answered', async () => {
  const run = play([serverError, refused])
  await run.clock.advance(3_600_000)
  await expect(run.result).rejects.toThrow(KeyRefusedError)
  await expect(run.result).rejects.toThrow('the API refused the key (HTTP 401: Unauthorized)')
  expect(run.notes.at(-1)).toBe('back 6 rejected')
  expect(run.attempts).toHaveLength(2)
})

describe('a stop', () => {
  test('ends the wait for another try, and the item has no outcome', async () => {
    const run = play([serverError])
    await run.clock.advance(500)
    run.stop.request({ exitCode: 130, because: 'SIGINT received' })
    await expect(run.result).rejects.toThrow(Stopped)
    expect(run.attempts).toHaveLength(1)
    expect(run.clock.sleepers).toBe(0)
  })

  test('that finishes items lets it wait and try again', async () => {
    const run = play([serverError, ended])
    await run.clock.advance(500)
    run.stop.request({ exitCode: 75, because: '--max-items 1 reached', finishesItems: true })
    expect((await settlementOf(run)).outcome).toBe(ended.outcome)
  })
})

describe('whether an attempt counts', () => {
  /** `ups`: what harmless calls show, one after another. */
  function healthOf(ups: boolean[], answered: () => number = () => 0) {
    const left = [...ups]
    return { left, answered, isUp: async () => left.shift()! }
  }

  test('is left to a harmless call where no other call was answered: the API is up', async () => {
    const health = healthOf([true])
    expect(await settlementOf(play([serverError], { attemptsMax: 2, health }))).toMatchObject({ attempts: 2 })
    expect(health.left).toEqual([])
  })

  test('in an outage it does not, however long it takes', async () => {
    const health = healthOf([false, false, false])
    const run = play([...Array(4).fill(serverError), ended], { attemptsMax: 2, health })
    expect(await settlementOf(run)).toEqual({ outcome: ended.outcome, attempts: 5 })
  })

  test('it does, without asking, when other calls were answered since the failure before', async () => {
    let answered = 0
    const health = healthOf([], () => answered++)
    expect(await settlementOf(play([serverError], { attemptsMax: 2, health }))).toMatchObject({ attempts: 2 })
  })

  test('a bad item that is the probe of an outage counts once the API is up', async () => {
    const health = healthOf([false, true, true])
    const run = play([probe(serverError)], { attemptsMax: 2, health })
    expect(await settlementOf(run)).toMatchObject({ outcome: serverError.outcome, attempts: 3 })
  })
})
