import { idleLongerThan } from '../../src/filters/dates.js'
import type { Item, PriorCalls } from '../../src/item.js'
import type { Api, ApiAnswer, Filter, Operation } from '../../src/job.js'
import { checkingFirst } from '../../src/operations/check-first.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { harmlessPath } from '../../src/operations/key-check.js'
import { paced } from '../../src/operations/paced.js'
import { settleWithRetries } from '../../src/operations/retry.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { noQuota } from '../../src/settings/limits.js'
import { Stop } from '../../src/system/stop.js'
import { FakeClock } from '../fake-clock.js'

const dayMs = 86_400_000
export const nowMs = Date.UTC(2026, 9, 20, 12)
const idle = idleLongerThan(14 * dayMs, nowMs)
const item: Item = {
  ordinal: 6,
  id: '66f2a91c4be07d3f5c1e0001',
  source: 'export.jsonl.gz',
  line: 7,
  record: () => ({ date_updated: '2026-09-20T12:00:00.000000' }),
}

export const answer = (status: number, body: unknown = {}): ApiAnswer => ({
  kind: 'answer',
  status,
  body,
  quota: noQuota,
  dateMs: null,
})
export const conversation = (fields: object = {}) =>
  answer(200, { id: item.id, status: 'active', updated_at: '2026-09-20T12:00:00.000000+00:00', ...fields })
export const active = conversation()
export const isOver = conversation({ status: 'ended' })
export const cameBack = conversation({ updated_at: '2026-10-19T08:00:00.000000+00:00' })
export const forbidden = answer(403, { errors: [{ type: 'forbidden', message: 'Not permitted' }] })
export const unauthorized = answer(401, { message: 'Unauthorized' })
export const challenge = answer(202, undefined)
export const ended = answer(200, { message: 'Conversation ended successfully.' })
export const expired = answer(400, {
  errors: [{ type: 'validation_error', message: 'Conversation is expired' }],
})
export const unavailable = answer(503)
export const tooMany = answer(429)
export const lost: ApiAnswer = { kind: 'lost', reason: 'timeout', message: 'no answer within 30 s' }
export const unreachable: ApiAnswer = { kind: 'unreachable', message: 'ECONNREFUSED' }

interface Options {
  isAlways?: boolean
  /** To a call that checks the key. */
  harmless?: ApiAnswer
  filters?: readonly Filter[]
  earlier?: PriorCalls
  attemptsMax?: number
  /** From `nowMs` to the start. */
  wallMs?: number
  hours?: { fromMinute: number; toMinute: number }
  onCall?: (nth: number, stop: Stop) => void
}

/** Settles the item against an API that gives these answers, one after another; the last one again and again. */
export async function settle(answers: readonly ApiAnswer[], options: Options = {}) {
  const {
    filters = [idle],
    earlier = { calls: 0, isAnswerLost: false },
    attemptsMax = 5,
    hours,
    onCall,
    wallMs = 0,
    isAlways = true,
    harmless = answer(404, { message: 'Not found' }),
  } = options
  const clock = new FakeClock(undefined, { wallMs: nowMs + wallMs })
  const stop = new Stop()
  const calls: string[] = []
  const atMs: number[] = []
  const notes: string[] = []
  const startMs = clock.monotonicMs()
  const api: Api = {
    async call({ method, path, signal }) {
      if (path === harmlessPath) return harmless
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
    limits: 'none',
    caps: [],
    share: 1,
    concurrency: 16,
    holdMs: 31_000,
    clock,
    random: () => 0,
    ...(hours ? { hours } : {}),
  })
  const pace = (one: Operation) => paced(one, limiter)
  const operation = checkingFirst(pace(endConversation), isAlways, filters, pace, clock)
  const settling = settleWithRetries(
    operation,
    api,
    item,
    earlier,
    {
      attemptsMax,
      clock,
      random: () => 0,
      stopSignal: stop.signal,
      abortSignal: stop.abortSignal,
    },
    {
      sent: (_item, isRead) => notes.push(isRead ? 'look' : 'sent'),
      back: (_item, { reason }, isRead) => notes.push(`${reason}${isRead ? ' (look)' : ''}`),
    },
  )
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

export const outcomeOf = async (answers: readonly ApiAnswer[], options?: Options) => {
  const { calls, settlement } = await settle(answers, options)
  if (settlement instanceof Error) throw settlement
  const { outcome, attempts } = settlement
  return { calls: calls.join(' '), status: outcome.status, reason: outcome.reason, attempts }
}
