import { createServer, type Server } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Verdict } from '../../src/job.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { openHttpApi, quotaOf } from '../../src/operations/http.js'
import { fuzzRuns, inTime, mutations } from './mutations.js'

const key = 'k3y-0f-the-fuzz-tests'
let answer: Buffer = Buffer.alloc(0)
let server: Server
let origin: string

beforeAll(async () => {
  server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`
})
afterAll(() => new Promise((resolve) => server.close(resolve)))

const samples = [
  'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-ratelimit-limit: 300\r\nx-ratelimit-remaining: 12\r\nx-ratelimit-reset: 1795176060\r\ndate: Sun, 22 Nov 2026 20:00:00 GMT\r\ncontent-length: 47\r\n\r\n{"message":"Conversation ended successfully."}\n',
  'HTTP/1.1 429 Too Many Requests\r\nretry-after: 17\r\ncontent-length: 2\r\n\r\n{}',
  `HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\n\r\n{"errors":[{"type":"validation_error","message":"Conversation is expired","details":[{"a":{"b":["${key}"]}}]}]}`,
  'HTTP/1.1 502 Bad Gateway\r\ntransfer-encoding: chunked\r\n\r\n1a\r\n<html><style>h1{}</style><h\r\n0\r\n\r\n',
]
const item = { ordinal: 0, id: '66f2a91c4be07d3f5c1e0001', source: 'stale.csv', line: 2, record: () => ({}) }

async function verdictOn(bytes: Buffer): Promise<Verdict> {
  answer = bytes
  const api = await openHttpApi({ origin, key, timeoutMs: 3000, connections: 1, userAgent: 'fuzz' })
  const { signal } = new AbortController()
  const attempt = {
    earlierCalls: 0,
    isAfterLostAnswer: false,
    leaves() {},
    stopSignal: signal,
    abortSignal: signal,
  }
  try {
    return await inTime(endConversation.attempt(item, api, attempt), 15_000)
  } finally {
    await api.close()
  }
}

test('whatever comes back is a verdict, with a message that is short, clean and without the key', async () => {
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...samples), mutations, async (sample, mutate) => {
      const { kind, outcome, quota } = await verdictOn(mutate(Buffer.from(sample)))
      expect(['settled', 'again', 'rate_limited', 'refused']).toContain(kind)
      expect(outcome.message.length).toBeLessThan(2000)
      expect(outcome.message).not.toMatch(/\p{Cc}/u)
      expect(outcome.message).not.toContain(key)
      for (const ms of [quota.retryAfterMs, quota.resetInMs]) expect(ms ?? 0).toSatisfy(isWait)
    }),
    fuzzRuns(150),
  )
})

const isWait = (ms: number) => ms >= 0 && ms <= 86_400_000

test('a body that does not end is left after its first part', async () => {
  const endless = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      socket.write('HTTP/1.1 500 Oops\r\n\r\n')
      const more = Buffer.alloc(1 << 20, 'x')
      const pump = () => {
        while (!socket.destroyed && socket.write(more));
        if (!socket.destroyed) socket.once('drain', pump)
      }
      pump()
    })
  })
  await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
  const { port } = endless.address() as { port: number }
  const api = await openHttpApi({
    origin: `http://127.0.0.1:${port}`,
    key,
    timeoutMs: 10_000,
    connections: 1,
    userAgent: 'fuzz',
  })
  const answered = await inTime(api.call({ method: 'POST', path: '/', signal: new AbortController().signal }))
  expect(answered).toMatchObject({ kind: 'answer', status: 500 })
  await api.close()
  await new Promise((resolve) => endless.close(resolve))
})

test('whatever stands in the headers, a wait is a number of milliseconds up to a day', () => {
  const value = fc.oneof(
    fc.string(),
    fc.constantFrom(
      '-1',
      '1e400',
      'Infinity',
      '9'.repeat(400),
      '0x10',
      '',
      ' 5 ',
      '5, 6',
      'Sun, 22 Nov 2026 25:00:00 GMT',
    ),
  )
  const header = fc.oneof(value, fc.array(value, { minLength: 1, maxLength: 3 }))
  const names = ['retry-after', 'x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'date']
  const headers = fc.record(Object.fromEntries(names.map((name) => [name, header])), { requiredKeys: [] })
  fc.assert(
    fc.property(headers, (all) => {
      const { retryAfterMs, resetInMs, limit, remaining } = quotaOf(all, Date.UTC(2026, 10, 22))
      for (const ms of [retryAfterMs, resetInMs]) expect(ms ?? 0).toSatisfy(isWait)
      for (const count of [limit, remaining]) expect(count ?? 0).toSatisfy((of: number) => of >= 0)
    }),
    fuzzRuns(2000),
  )
})
