import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import {
  type Answer,
  badGateway,
  ended,
  expired,
  type FakeApi,
  forbidden,
  garbage,
  half,
  hang,
  hangAfter,
  invalidId,
  json,
  notFound,
  plain,
  portWithoutListener,
  refusal,
  resetAfter,
  resetBefore,
  serverError,
  startFakeApi,
  unavailable,
} from './fake-api.js'
import { conversationIds, csvOf, openPlace, type ReportRow, reportOf, summaryOf } from './harness.js'

interface Row {
  name: string
  /** To the first call, to the second, …; the last one is repeated. */
  answers: Answer[]
  is: Partial<ReportRow>
}

const ok = { status: 'succeeded', reason: 'ended', http_status: '200' }
const seen = { status: 'succeeded', reason: 'ended_on_retry', http_status: '200' }
const elsewhere = 'http://127.0.0.1:9/api/v2/conversations/somebody/end/'

/** All in one run, with two attempts for each ID. */
const rows: Row[] = [
  { name: '200 is ended', answers: [ended], is: { ...ok, attempts: '1', message: '' } },
  {
    name: '200 without a body is looked at, and ended',
    answers: [{ ...plain(200, ''), ends: true }],
    is: { ...seen, attempts: '2' },
  },
  {
    name: '200 with a body that is no JSON is looked at, and ended',
    answers: [{ ...plain(200, '{"mess'), ends: true }],
    is: { ...seen, attempts: '2' },
  },
  {
    name: '200 of which half comes is looked at, and not called again',
    answers: [half(200, '{"message":"Conversation ended successfully."}')],
    is: { ...seen, attempts: '2' },
  },
  {
    name: '200 with errors, and the conversation is active: nothing was done',
    answers: [json(200, { errors: [{ type: 'internal_error', message: 'Something went wrong' }] })],
    is: { status: 'failed', reason: 'server_error', http_status: '200', attempts: '4' },
  },
  {
    name: '202 without a body, and then it works',
    answers: [plain(202, '', { 'x-amzn-waf-action': 'challenge' }), ended],
    is: { ...ok, attempts: '3' },
  },
  {
    name: '403 in the words of the API is that of the item',
    answers: [forbidden],
    is: { status: 'failed', reason: 'forbidden', http_status: '403', message: 'This key may not do that' },
  },
  {
    name: '403 with a web page is tried again, and then works',
    answers: [
      plain(403, '<html><title>Just a moment...</title></html>', { 'content-type': 'text/html' }),
      ended,
    ],
    is: { ...ok, attempts: '2' },
  },
  {
    name: '400 of which half comes is looked at, and tried again',
    answers: [
      half(400, '{"errors":[{"type":"validation_error","message":"Conversation is expired"}]}'),
      expired,
    ],
    is: { status: 'succeeded', reason: 'ended_on_retry', attempts: '3' },
  },
  {
    name: '400 for a bad ID is rejected',
    answers: [invalidId],
    is: { status: 'failed', reason: 'rejected', http_status: '400', message: 'Invalid conversation_id' },
  },
  {
    name: '400 "expired" is already ended',
    answers: [expired],
    is: { status: 'succeeded', reason: 'already_ended', http_status: '400', attempts: '1' },
  },
  {
    name: '400 "already ended" is already ended',
    answers: [json(400, { message: 'The conversation has already ended.' })],
    is: { status: 'succeeded', reason: 'already_ended' },
  },
  {
    name: '404 is not found',
    answers: [notFound],
    is: { status: 'failed', reason: 'not_found', http_status: '404', attempts: '1' },
  },
  {
    name: '408 is tried again, and then works',
    answers: [plain(408, ''), ended],
    is: { ...ok, attempts: '2' },
  },
  {
    name: '408 twice is rejected',
    answers: [plain(408, '')],
    is: { status: 'failed', reason: 'rejected', http_status: '408', attempts: '2' },
  },
  {
    name: '413 is rejected',
    answers: [plain(413, '<h1>413 Request Entity Too Large</h1>')],
    is: { status: 'failed', reason: 'rejected', http_status: '413', attempts: '1' },
  },
  {
    name: '422 is rejected, with its details',
    answers: [
      json(422, {
        errors: [
          {
            type: 'validation_error',
            message: 'Voice conversations cannot be ended',
            details: [{ parameter: 'conversation_id', location: 'path', message: 'is a call' }],
          },
        ],
      }),
    ],
    is: {
      status: 'failed',
      reason: 'rejected',
      http_status: '422',
      message: expect.stringMatching(/^Voice conversations cannot be ended.*is a call/) as unknown as string,
    },
  },
  {
    name: '418, which nobody knows, is rejected',
    answers: [plain(418, '')],
    is: { status: 'failed', reason: 'rejected', http_status: '418', message: 'HTTP 418' },
  },
  {
    name: '500 twice is a server error',
    answers: [serverError],
    is: { status: 'failed', reason: 'server_error', http_status: '500', attempts: '2' },
  },
  { name: '500 is tried again, and then works', answers: [serverError, ended], is: { ...ok, attempts: '2' } },
  {
    name: '502 with an HTML page is a server error, its text in one line',
    answers: [badGateway],
    is: {
      status: 'failed',
      reason: 'server_error',
      http_status: '502',
      message: '502 Bad Gateway 502 Bad Gateway',
    },
  },
  {
    name: '503 is a server error',
    answers: [unavailable],
    is: { status: 'failed', reason: 'server_error', http_status: '503', attempts: '2' },
  },
  {
    name: '504 without a body is a server error',
    answers: [plain(504, '')],
    is: { status: 'failed', reason: 'server_error', http_status: '504', message: 'HTTP 504' },
  },
  {
    name: '500 of which half comes is a server error',
    answers: [half(500, '{"errors":[{"type":"x","message":"Internal server error"}]}')],
    is: { status: 'failed', reason: 'server_error', http_status: '500', attempts: '2' },
  },
  {
    name: 'a redirect is not followed',
    answers: [plain(301, '', { location: elsewhere })],
    is: { status: 'failed', reason: 'rejected', http_status: '301', attempts: '1' },
  },
  {
    name: 'a redirect that keeps the method is not followed either',
    answers: [plain(307, '', { location: elsewhere })],
    is: { status: 'failed', reason: 'rejected', http_status: '307', attempts: '1' },
  },
  {
    name: 'what is no HTTP is an answer lost',
    answers: [garbage],
    is: { status: 'unknown', reason: 'connection_lost', http_status: '', attempts: '3' },
  },
  {
    name: 'a connection reset twice is an answer lost',
    answers: [resetBefore],
    is: { status: 'unknown', reason: 'connection_lost', http_status: '', attempts: '3' },
  },
  {
    name: 'a connection reset once is tried again',
    answers: [resetBefore, ended],
    is: { ...ok, attempts: '3' },
  },
  {
    name: 'an answer lost is looked at, and was ended',
    answers: [resetAfter],
    is: { ...seen, attempts: '2' },
  },
  {
    name: '500 and then 400 "expired" was ended by nobody we know',
    answers: [serverError, expired],
    is: { status: 'succeeded', reason: 'already_ended', attempts: '2' },
  },
  {
    name: 'an answer lost and then 404 is not found',
    answers: [resetBefore, notFound],
    is: { status: 'failed', reason: 'not_found', attempts: '3' },
  },
  {
    name: 'control characters, escapes and line breaks of a message do not reach the report',
    answers: [
      refusal(
        422,
        'x',
        'red \u001b[31malert\u001b[0m \u001b]0;title\u0007\u0000\u0008\r\nnext\u202eline\u009b2J',
      ),
    ],
    is: { message: 'red alert next line 2J' },
  },
  {
    name: 'a very long message is cut',
    answers: [refusal(422, 'x', 'a'.repeat(50_000))],
    is: { message: expect.stringMatching(/^a{200,320}…$/) as unknown as string },
  },
  {
    name: 'a body without end is cut',
    answers: [refusal(422, 'x', 'a'.repeat(2_000_000))],
    is: { reason: 'rejected', message: expect.stringMatching(/^.{200,320}…$/) as unknown as string },
  },
  {
    name: 'a message that a spreadsheet would run is defused',
    answers: [refusal(422, 'x', '=HYPERLINK("https://evil.example","click")')],
    is: { message: `'=HYPERLINK("https://evil.example","click")` },
  },
]

describe('what the API answers', () => {
  const ids = conversationIds(rows.length)
  const formulaId = '=1+1'
  const place = openPlace()
  let api: FakeApi
  let report: ReportRow[]

  beforeAll(async () => {
    // After each row comes an ID that works, so that no outage seems to begin.
    const fillers = conversationIds(rows.length + 1, 1)
    place.write('@list.csv', csvOf([...ids.flatMap((id, index) => [id, fillers[index]!]), formulaId]))
    api = await startFakeApi(({ id, nth }) => {
      const answers = rows[ids.indexOf(id)]?.answers ?? [ended]
      return answers[Math.min(nth, answers.length) - 1]!
    })
    const args = `run end-conversations --input @list.csv --base-url ${api.url} --yes --api-limit none --attempts 2 --max-failures 100%`
    const { code, stdout, stderr } = await place.run([...args.split(' '), '--log-level', 'trace'])
    expect({ code, stderr: code === 3 ? '' : stderr, stdout }).toMatchObject({ code: 3, stderr: '' })
    // What a terminal would obey.
    expect(stdout + stderr).not.toMatch(/[\0-\x08\x0b-\x1f\x7f-\x9f\u202e]/)
    report = reportOf(place.onlyRun())
  })

  test.for(rows)('$name', ({ is, answers }) => {
    const index = rows.findIndex((row) => row.is === is)
    const row = report.find(({ id }) => id === ids[index])
    expect(row).toMatchObject(is)
    const calls = api.timesCalled(ids[index]!) + api.looks.filter((id) => id === ids[index]).length
    if (row!.reason !== 'forbidden') expect(calls).toBe(Number(row!.attempts))
    expect(answers.length).toBeLessThanOrEqual(Number(row!.attempts))
  })

  test('one ID is never in two calls at once, and no two calls for it follow within a second', () => {
    expect(api.mostInFlightForOneId).toBe(1)
    for (const id of ids) {
      const [first, second] = api.calls.filter((call) => call.id === id)
      if (second) expect(second.atMs - first!.atMs).toBeGreaterThan(990)
    }
  })

  test('IDs and file names that a spreadsheet would run are defused', () => {
    expect(report.at(-1)).toMatchObject({ id: `'${formulaId}`, status: 'succeeded', source: `'@list.csv` })
    expect(api.timesCalled(formulaId)).toBe(1)
  })

  test('no control character is in any file of the run', () => {
    for (const name of ['checkpoint.jsonl', 'run.log', 'report.csv', 'summary.json']) {
      expect(readFileSync(join(place.onlyRun(), name), 'utf8')).not.toMatch(
        /[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/,
      )
    }
  })
})

test.concurrent('a port where nobody listens is an outage: the run stops (4), and no item failed', async () => {
  const place = openPlace()
  const input = place.write('stale.csv', csvOf(conversationIds(2)))
  const args = `--base-url http://127.0.0.1:${await portWithoutListener()} --yes --api-limit none --attempts 2 --max-outage 2s --input ${input}`
  expect(await place.run(['run', 'end-conversations', ...args.split(' ')])).toMatchObject({ code: 4 })
  expect(summaryOf(place.onlyRun())).toMatchObject({ totals: { failed: 0, unknown: 0, left: 2 } })
})

test.concurrent('a call that hangs is a time-out, and unknown when the last one hangs too', async () => {
  const place = openPlace()
  const [never, late, trickles] = conversationIds(3) as [string, string, string]
  const input = place.write('stale.csv', csvOf([never, late, trickles]))
  const slowBody: Answer = {
    status: 200,
    ends: true,
    send: (response) => void response.writeHead(200, { 'content-length': '1000' }).write('{'),
  }
  const api = await startFakeApi(({ id, nth }) => {
    if (id === trickles) return slowBody
    return id === never ? hang : nth === 1 ? hangAfter : expired
  })
  const args = `--base-url ${api.url} --yes --api-limit none --attempts 2 --timeout 1s --input ${input}`
  expect(await place.run(['run', 'end-conversations', ...args.split(' ')])).toMatchObject({ code: 3 })
  const [first, second, third] = reportOf(place.onlyRun())
  expect(first).toMatchObject({ status: 'unknown', reason: 'timeout', http_status: '', attempts: '3' })
  expect(second).toMatchObject({ status: 'succeeded', reason: 'ended_on_retry', attempts: '2' })
  expect(third).toMatchObject({ status: 'succeeded', reason: 'ended_on_retry', attempts: '2' })
})
