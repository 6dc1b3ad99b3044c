import fc from 'fast-check'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import type { RunEvent } from '../../src/checkpoint/events.js'
import { type Item, type SettledItem, statuses } from '../../src/item.js'
import { defaultSettings } from '../../src/settings/run-settings.js'
import { carried, returned, sent } from './made-events.js'

/** One thing that is written to a checkpoint. */
export type Step =
  | { does: 'settle' | 'settleDurably'; settled: SettledItem }
  /** A call that `isRead` only looks. */
  | { does: 'sent'; ordinal: number; isRead: boolean }
  | { does: 'back'; ordinal: number; reason: string; isRead: boolean }
  | { does: 'carry'; ordinal: number; calls: number; isAnswerLost: boolean }
  | { does: 'resume' | 'stop' | 'change' }

/** Few ordinals, so that they meet again; IDs and messages that look like lines of ours. */
const ordinal = fc.oneof(fc.nat(12), fc.constantFrom(31, 32, 100_000))
const text = fc.oneof(
  fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)), maxLength: 12 }),
  fc.constantFrom('"status":"failed","reason":"', '{"n":7,', '\n{"sent":1,', '","prev":"', '\\', '"'),
)

const isRead = fc.boolean()

export const anySettled: fc.Arbitrary<SettledItem> = fc.record({
  ordinal,
  id: text,
  status: fc.constantFrom(...statuses),
  reason: fc.constantFrom('ended', 'already_ended', 'not_found', 'timeout', 'duplicate', 'on_hold', 'x2'),
  httpStatus: fc.option(fc.constantFrom(200, 404, 500)),
  attempts: fc.nat(6),
  finishedAt: fc.constant('2026-11-22T15:04:05.678Z'),
  durationMs: fc.nat(10_000),
  message: text,
  source: text,
  line: fc.nat(),
})

const iso = fc
  .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
  .map((at) => at.toISOString())
const httpStatus = fc.option(fc.integer({ min: 100, max: 599 }))
const aboutBatch = { event: fc.constant('batch' as const), reference: text, at: iso }
const signed = { at: iso, by: text, host: text }

export const anyEvent: fc.Arbitrary<RunEvent> = fc.oneof(
  { weight: 4, arbitrary: anySettled.map((settled) => ({ event: 'settled', settled }) as const) },
  fc.record({
    event: fc.constantFrom('call-sent' as const, 'check-sent' as const),
    ordinal,
    id: text,
    at: iso,
  }),
  fc.record(
    {
      event: fc.constant('call-returned' as const),
      ordinal,
      reason: text,
      httpStatus,
      at: iso,
      isRead: fc.constant(true as const),
    },
    { requiredKeys: ['event', 'ordinal', 'reason', 'httpStatus', 'at'] },
  ),
  fc.record({
    event: fc.constant('calls-carried' as const),
    ordinal,
    id: text,
    calls: fc.nat(),
    isAnswerLost: fc.boolean(),
  }),
  fc.record({ ...aboutBatch, did: fc.constant('sent' as const), ordinals: fc.array(ordinal) }),
  fc.record({ ...aboutBatch, did: fc.constant('accepted' as const), job: text }),
  fc.record({ ...aboutBatch, did: fc.constantFrom('split' as const, 'asked' as const) }),
  fc.record({
    ...aboutBatch,
    did: fc.constantFrom('returned' as const, 'asked in vain' as const),
    reason: text,
    httpStatus,
  }),
  fc.record({ event: fc.constantFrom('paused' as const, 'continued' as const), ...signed }),
  fc.record({
    event: fc.constant('throttled' as const),
    ...signed,
    share: fc.constantFrom(null, 0.5),
    limits: fc.constantFrom(null, 'none' as const, [{ max: 30, perMs: 1000 }]),
  }),
  fc.record({ event: fc.constant('waited' as const), at: iso, ms: fc.constant({ calling: 12 }) }),
  fc.record({ event: fc.constant('stopped' as const), at: iso, exitCode: fc.nat(255), because: text }),
  fc.record({ event: fc.constant('finished' as const), at: iso, exitCode: fc.nat(255) }),
)

export const anyStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ does: fc.constantFrom('settle', 'settleDurably'), settled: anySettled }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('sent'), ordinal, isRead }) },
  {
    weight: 3,
    arbitrary: fc.record({
      does: fc.constant('back'),
      ordinal,
      isRead,
      reason: fc.constantFrom('rate_limited', 'server_error', 'network_error'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant('carry'),
      ordinal,
      calls: fc.integer({ min: 1, max: 9 }),
      isAnswerLost: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ does: fc.constantFrom('resume', 'stop', 'change') }) },
)

export const at = '2026-11-22T15:04:05.678Z'

export const itemOf = (ordinal: number): Item => ({
  ordinal,
  id: `66f2a91c4be07d3f5c1e${String(ordinal).padStart(4, '0')}`,
  source: 'conversations.csv',
  line: ordinal + 2,
  record: () => ({}),
})

export async function take(checkpoint: Checkpoint, step: Step): Promise<void> {
  switch (step.does) {
    case 'settle':
      return checkpoint.add({ event: 'settled', settled: step.settled })
    case 'settleDurably':
      return checkpoint.record({ event: 'settled', settled: step.settled })
    case 'sent':
      return checkpoint.note(sent(itemOf(step.ordinal), at, step.isRead))
    case 'back':
      return checkpoint.note(
        returned(itemOf(step.ordinal), at, { reason: step.reason, httpStatus: 503 }, step.isRead),
      )
    case 'carry':
      return checkpoint.add(carried(itemOf(step.ordinal), step))
    case 'resume':
      return checkpoint.record({
        event: 'resumed',
        at,
        by: 'kim',
        host: 'ops',
        pid: 7,
        version: '1',
        confirmed: 9,
        settings: defaultSettings({ operation: { limits: [] } }),
      })
    case 'stop':
      return checkpoint.record({ event: 'stopped', at, exitCode: 75, because: 'for "now"' })
    case 'change':
      return checkpoint.record({ event: 'input-changed', at, input: [], plan: { read: 9, calls: 8 } })
  }
}
