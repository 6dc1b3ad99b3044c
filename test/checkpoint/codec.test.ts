import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { eventOf, faultOf, fieldsOf, isReadable } from '../../src/checkpoint/codec.js'
import type { RunEvent } from '../../src/checkpoint/events.js'
import { anyEvent, anySettled } from './arbitrary-steps.js'

const prev = '5b5936bb10a713c5973b625a9b70bb43c97664ce93aba35e8e203ce1ccc78437'
const lineOf = (event: RunEvent) => JSON.stringify({ ...fieldsOf(event), prev })

/** The same line in a form that only the exact reader takes. */
const spaced = (line: string) => line.replace('{', '{ ')

test('every event comes back from its line as it went in, by either reader', () => {
  fc.assert(
    fc.property(anyEvent, (event) => {
      for (const line of [lineOf(event), spaced(lineOf(event))])
        expect(eventOf(line)).toEqual('event' in fieldsOf(event) ? { ...event, prev } : event)
    }),
    { numRuns: 500 },
  )
})

test('what the writer takes, and only that, the reader takes', () => {
  const odd = fc.constantFrom<unknown>(
    -1,
    1.5,
    Number.NaN,
    2 ** 40,
    null,
    undefined,
    '',
    'x',
    {},
    '2026-11-22T20:02:46Z',
  )
  fc.assert(
    fc.property(anyEvent, fc.nat(20), odd, (event, at, value) => {
      expect(isReadable(event)).toBe(true)
      const inner = event.event === 'settled' ? { ...event.settled } : { ...event }
      const names = Object.keys(inner).filter((name) => name !== 'event' && name !== 'did')
      Object.assign(inner, { [names[at % names.length]!]: value })
      const bent = (event.event === 'settled' ? { ...event, settled: inner } : inner) as RunEvent
      if (isReadable(bent)) expect(eventOf(lineOf(bent))).not.toBeNull()
    }),
    { numRuns: 1000 },
  )
})

test('a line in which anything was changed is read alike by both readers', () => {
  const change = fc.record({
    event: fc.oneof(
      anySettled.map((settled) => ({ event: 'settled', settled }) as const),
      fc.constant({ event: 'call-sent', ordinal: 17, id: '66f2', at: '2026-11-22T20:02:46.635Z' } as const),
    ),
    at: fc.nat(200),
    cut: fc.nat(2),
    put: fc.string({ unit: fc.constantFrom('"', ',', ':', '}', '0', '7', ' ', '\n', 'é'), maxLength: 2 }),
  })
  fc.assert(
    fc.property(change, ({ event, at, cut, put }) => {
      const line = lineOf(event)
      const from = 1 + (at % (line.indexOf(',"prev"') - 1))
      const changed = line.slice(0, from) + put + line.slice(from + cut)
      expect(eventOf(changed)).toEqual(eventOf(spaced(changed)))
    }),
    { numRuns: 2000 },
  )
})

const settled = {
  event: 'settled',
  settled: {
    ordinal: 7,
    status: 'failed',
    reason: 'not_found',
    id: '66f2a91c4be07d3f5c1e0007',
    httpStatus: 404,
    attempts: 2,
    finishedAt: '2026-11-22T20:02:46.635Z',
    durationMs: 128,
    message: 'Conversation was not found',
    source: 'stale.csv',
    line: 9,
  },
} as const satisfies RunEvent
const at = '2026-11-22T20:02:46.635Z'

test.each<[string, RunEvent, string]>([
  [
    'a settled item',
    settled,
    '{"n":7,"status":"failed","reason":"not_found","id":"66f2a91c4be07d3f5c1e0007","http":404,"attempts":2,"at":"2026-11-22T20:02:46.635Z","ms":128,"message":"Conversation was not found","source":"stale.csv","line":9}',
  ],
  ['a call', { event: 'call-sent', ordinal: 7, id: '66f2', at }, `{"sent":7,"id":"66f2","at":"${at}"}`],
  ['a check', { event: 'check-sent', ordinal: 7, id: '66f2', at }, `{"look":7,"id":"66f2","at":"${at}"}`],
  [
    'an answer',
    { event: 'call-returned', ordinal: 7, reason: 'network_error', httpStatus: null, at },
    `{"back":7,"reason":"network_error","http":null,"at":"${at}"}`,
  ],
  [
    'the answer to a check',
    { event: 'call-returned', ordinal: 7, reason: 'server_error', httpStatus: 500, at, isRead: true },
    `{"back":7,"reason":"server_error","http":500,"at":"${at}","read":true}`,
  ],
  [
    'calls that are carried over',
    { event: 'calls-carried', ordinal: 7, id: '66f2', calls: 2, isAnswerLost: true },
    '{"carried":7,"id":"66f2","calls":2,"lost":true}',
  ],
  [
    'a batch that is sent',
    { event: 'batch', reference: 'b1', did: 'sent', ordinals: [7, 8], at },
    `{"batch":"b1","did":"sent","n":[7,8],"at":"${at}"}`,
  ],
  [
    'a batch that is accepted',
    { event: 'batch', reference: 'b1', did: 'accepted', job: 'j9', at },
    `{"batch":"b1","did":"accepted","job":"j9","at":"${at}"}`,
  ],
  [
    'a batch that is returned',
    { event: 'batch', reference: 'b1', did: 'returned', reason: 'server_error', httpStatus: 503, at },
    `{"batch":"b1","did":"returned","reason":"server_error","http":503,"at":"${at}"}`,
  ],
  [
    'the end of a run',
    { event: 'stopped', at, exitCode: 75, because: '--max-items 10 reached' },
    `{"event":"stopped","at":"${at}","exitCode":75,"because":"--max-items 10 reached"}`,
  ],
])('%s is written as version 0.1 wrote it', (_, event, line) => {
  expect(JSON.stringify(fieldsOf(event))).toBe(line)
})

describe('what is wrong with a line', () => {
  const line = lineOf(settled)
  test.each([
    ['words', 'is no line of a checkpoint'],
    ['{"id":"66f2"}', 'is no line of a checkpoint'],
    [line.replace('"failed"', '"fine"'), 'has no usable "status"'],
    [line.replace('"ms":128,', ''), 'has no usable "ms"'],
    [line.replace('"n":7', '"n":999999999'), 'has no usable "n"'],
    [line.replace('2026-11-22', '2026-13-22'), 'has no usable "at"'],
    [line.replace('404', '"404"'), 'has no usable "http"'],
    [`{"look":1,"id":7,"at":"${at}"}`, 'has no usable "id"'],
    [`{"batch":"b1","did":"sent","at":"${at}"}`, 'has no usable "n"'],
    [`{"event":"stopped","at":"${at}","exitCode":75}`, 'has no usable "because"'],
    ['{"event":"finished","exitCode":0}', 'has no usable "at"'],
  ])('is named by its field: %s', (line, fault) => {
    expect(eventOf(line)).toBe(null)
    expect(faultOf(line)).toBe(fault)
  })

  test('is nothing where a later version writes events that this one does not know', () => {
    expect(eventOf(`{"event":"renamed","at":"${at}"}`)).toEqual({ event: 'renamed', at })
  })
})
