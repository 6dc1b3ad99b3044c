import type { IncomingHttpHeaders, RequestListener } from 'node:http'
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import type { ApiAnswer, ApiRequest } from '../../src/job.js'
import { apiOf, call, end, key, serve, serveRaw } from './served.js'

describe('a call', () => {
  interface Arrival {
    method: string | undefined
    url: string | undefined
    headers: IncomingHttpHeaders
    body: string
  }

  async function arrivalOf(request: Partial<ApiRequest>): Promise<Arrival> {
    const arrivals: Arrival[] = []
    const origin = await serve(async (incoming, response) => {
      const { method, url, headers } = incoming
      const chunks: Buffer[] = []
      for await (const chunk of incoming) chunks.push(chunk)
      arrivals.push({ method, url, headers, body: Buffer.concat(chunks).toString() })
      response.end('{}')
    })
    await call(await apiOf(origin), request)
    expect(arrivals).toHaveLength(1)
    return arrivals[0]!
  }

  test('without a body has its path to the last slash, the key, and no content type', async () => {
    const { method, url, headers, body } = await arrivalOf({})
    expect({ method, url, body }).toEqual({ method: 'POST', url: end.path, body: '' })
    expect(headers).toMatchObject({
      authorization: `Bearer ${key}`,
      accept: 'application/json',
      'user-agent': 'ada-bulk/test',
      'content-length': '0',
    })
    expect(headers).not.toHaveProperty('content-type')
  })

  test('with a body sends it as JSON', async () => {
    const { method, headers, body } = await arrivalOf({
      method: 'PATCH',
      body: { metadata: { note: 'Grüße' } },
    })
    expect(method).toBe('PATCH')
    expect(headers['content-type']).toBe('application/json')
    expect(JSON.parse(body)).toEqual({ metadata: { note: 'Grüße' } })
  })

  test('keeps encoded slashes as they are', async () => {
    const path = '/api/v2/conversations/a%2F..%2Fb%3F/end/'
    expect((await arrivalOf({ path })).url).toBe(path)
  })
})

describe('an answer', () => {
  async function answerOf(listener: RequestListener): Promise<ApiAnswer> {
    return call(await apiOf(await serve(listener)))
  }

  test.each([200, 204, 400, 401, 404, 408, 413, 429, 500, 503])('has the status %i', async (status) => {
    const answer = await answerOf((_, response) => response.writeHead(status).end())
    expect(answer).toMatchObject({ kind: 'answer', status, body: undefined })
  })

  test('has its body as JSON where it is JSON, whatever it is called, and as text otherwise', async () => {
    const answerTo = async (type: string, text: string) =>
      answerOf((_, response) => response.writeHead(502, { 'content-type': type }).end(text))
    expect(await answerTo('text/html', '{"message":"Grüße"}')).toMatchObject({ body: { message: 'Grüße' } })
    expect(await answerTo('application/json', '<h1>Bad gateway</h1>')).toMatchObject({
      body: '<h1>Bad gateway</h1>',
    })
    expect(await answerTo('application/json', 'null')).toMatchObject({ body: null })
  })

  test('has what it says about limits, and the clock of the API', async () => {
    const date = 'Sun, 22 Nov 2026 12:00:00 GMT'
    const answer = await answerOf((_, response) =>
      response
        .writeHead(429, {
          date,
          'retry-after': '7',
          'x-ratelimit-limit': '300',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-reset': String(Date.parse(date) / 1000 + 20),
        })
        .end(),
    )
    expect(answer).toMatchObject({
      quota: { retryAfterMs: 7000, limit: 300, remaining: 0, resetInMs: 20_000 },
      dateMs: Date.parse(date),
    })
  })

  test('without a usable Date has no clock', async () => {
    const answer = await answerOf((_, response) => response.writeHead(200, { date: 'yesterday' }).end())
    expect(answer).toMatchObject({ dateMs: null })
  })

  test('has at most 64 KiB of a body without end', async () => {
    const origin = await serve((_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('a'.repeat(10_000)));
      }
      response.on('drain', more)
      more()
    })
    const answer = await call(await apiOf(origin))
    expect(answer).toMatchObject({ kind: 'answer', status: 200 })
    expect((answer as { body: string }).body === 'a'.repeat(65_536)).toBe(true)
  })

  test('has as much of a long body as the call asks for', async () => {
    const origin = await serve((_, response) => response.end(JSON.stringify({ items: 'a'.repeat(200_000) })))
    const api = await apiOf(origin)
    expect(typeof ((await call(api)) as { body: unknown }).body).toBe('string')
    expect(await call(api, { bodyBytesMax: 1_000_000 })).toMatchObject({
      body: { items: expect.any(String) },
    })
  })

  test('with half a body says so', async () => {
    const origin = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"message":"Conv')
      setTimeout(() => socket.resetAndDestroy(), 100)
    })
    expect(await call(await apiOf(origin))).toMatchObject({
      kind: 'answer',
      status: 200,
      body: '{"message":"Conv',
      isBroken: true,
    })
  })

  test('whose body never ends counts as cut off when the time is over', async () => {
    const origin = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
    })
    expect(await call(await apiOf(origin, 400))).toMatchObject({
      kind: 'answer',
      status: 200,
      body: undefined,
      isBroken: true,
    })
  })

  test.each([
    ['gzip', gzipSync],
    ['GZIP', gzipSync],
    ['deflate', deflateSync],
    ['deflate', deflateRawSync],
    ['br', brotliCompressSync],
    ['gzip, br', (text: string) => brotliCompressSync(gzipSync(text))],
  ])('is decoded from %s, though it was asked for as it is', async (encoding, encode) => {
    let accepted: unknown
    const answer = await answerOf((request, response) => {
      accepted = request.headers['accept-encoding']
      response.writeHead(400, { 'content-type': 'application/json', 'content-encoding': encoding })
      response.end(encode('{"message":"Grüße"}'))
    })
    expect(accepted).toBe('identity')
    expect(answer).toMatchObject({ status: 400, body: { message: 'Grüße' }, isBroken: false })
  })

  test.each([
    ['is not gzip', 'gzip', Buffer.from('{"message":"no"}')],
    ['is half of a gzip', 'gzip', gzipSync('{"message":"Conversation is expired"}').subarray(0, 30)],
    ['has an encoding that nothing here knows', 'zstd', Buffer.from('{}')],
    ['unpacks to more than is read', 'gzip', gzipSync(`"${'a'.repeat(10_000_000)}"`)],
  ])('that %s cannot be read, and says so', async (_name, encoding, bytes) => {
    const answer = await answerOf((_, response) =>
      response.writeHead(400, { 'content-encoding': encoding }).end(bytes),
    )
    expect(answer).toMatchObject({ status: 400, body: undefined, isBroken: true })
  })

  test('that is not the JSON that its headers announce says so', async () => {
    const headers = { 'content-type': 'application/json; charset=utf-8' }
    expect(
      await answerOf((_, response) => response.writeHead(400, headers).end('<h1>no</h1>')),
    ).toMatchObject({
      body: '<h1>no</h1>',
      isBroken: true,
    })
    expect(await answerOf((_, response) => response.writeHead(400).end('no'))).toMatchObject({
      isBroken: false,
    })
  })

  test('that redirects is not followed', async () => {
    const asked: (string | undefined)[] = []
    const answer = await answerOf((request, response) => {
      asked.push(request.url)
      response.writeHead(307, { location: '/elsewhere' }).end()
    })
    expect(answer).toMatchObject({ kind: 'answer', status: 307 })
    expect(asked).toEqual([end.path])
  })
})
