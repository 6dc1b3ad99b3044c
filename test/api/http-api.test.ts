import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { ApiAnswer, ApiRequest } from '../../src/api/api.js'
import { type HttpApi, openHttpApi } from '../../src/api/http-api.js'

const key = 'ada-key-1234'
const closings: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close()
})

async function apiOf(origin: string, timeoutMs = 10_000): Promise<HttpApi> {
  const api = await openHttpApi({ origin, key, timeoutMs, connections: 4, userAgent: 'ada-bulk/test' })
  closings.push(() => api.close())
  return api
}

async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return listen(server)
}

/** A server that does to the connection what the test says once a whole request is there. */
async function serveRaw(onRequest: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>()
  const server = createTcpServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (data) => {
      if (data.toString().endsWith('\r\n\r\n')) onRequest(socket)
    })
  })
  closings.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return listen(server)
}

const end: Omit<ApiRequest, 'signal'> = { method: 'POST', path: '/api/v2/conversations/66f2a91c/end/' }

function call(api: HttpApi, request: Partial<ApiRequest> = {}): Promise<ApiAnswer> {
  return api.call({ ...end, signal: new AbortController().signal, ...request })
}

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

  test('with half a body is trusted for its status', async () => {
    const origin = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"message":"Conv')
      setTimeout(() => socket.resetAndDestroy(), 100)
    })
    expect(await call(await apiOf(origin))).toMatchObject({
      kind: 'answer',
      status: 200,
      body: '{"message":"Conv',
    })
  })

  test('whose body never ends counts when the time is over', async () => {
    const origin = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n')
    })
    expect(await call(await apiOf(origin, 400))).toMatchObject({
      kind: 'answer',
      status: 200,
      body: undefined,
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

describe('a call without an answer', () => {
  test.each([
    ['reset', (socket: Socket) => socket.resetAndDestroy()],
    ['closed', (socket: Socket) => socket.end()],
    ['answered with nonsense', (socket: Socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
    ['cut off within the headers', (socket: Socket) => socket.end('HTTP/1.1 200 OK\r\ncontent-le')],
  ])('is lost when its connection is %s', async (_, does) => {
    expect(await call(await apiOf(await serveRaw(does)))).toEqual({
      kind: 'lost',
      reason: 'connection_lost',
      message: expect.stringMatching(/./),
    })
  })

  test('is lost when a connection that was kept is closed under it', async () => {
    let calls = 0
    const origin = await serveRaw((socket) => {
      calls += 1
      if (calls === 1) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')
      else socket.resetAndDestroy()
    })
    const api = await apiOf(origin)
    expect(await call(api)).toMatchObject({ kind: 'answer', status: 200 })
    expect(await call(api)).toMatchObject({ kind: 'lost', reason: 'connection_lost' })
  })

  test('never got there when the connection is refused', async () => {
    const server = createTcpServer()
    const origin = await listen(server)
    server.close()
    await once(server, 'close')
    expect(await call(await apiOf(origin))).toEqual({
      kind: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    })
  })

  test('never got there when the name is not found', async () => {
    expect(await call(await apiOf('http://acme.invalid'))).toEqual({
      kind: 'unreachable',
      message: expect.stringContaining('acme.invalid'),
    })
  })

  test('never got there when the other side does not speak TLS', async () => {
    const origin = await serve((_, response) => response.end())
    expect(await call(await apiOf(origin.replace('http:', 'https:')))).toMatchObject({ kind: 'unreachable' })
  })

  test('is lost to its time-out', async () => {
    const startMs = performance.now()
    const origin = await serveRaw(() => {})
    expect(await call(await apiOf(origin, 150))).toEqual({
      kind: 'lost',
      reason: 'timeout',
      message: 'no answer within 0.15 s',
    })
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(145)
  })

  test('does not show the key', async () => {
    const origin = await serveRaw((socket) => socket.resetAndDestroy())
    expect(JSON.stringify(await call(await apiOf(origin)))).not.toContain(key)
  })
})

describe('an abort', () => {
  const reason = new Error('stopped at once')

  test('throws its reason, before the call and during it', async () => {
    const api = await apiOf(await serveRaw(() => {}))
    await expect(call(api, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    const abort = new AbortController()
    const calling = call(api, { signal: abort.signal })
    await delay(20)
    abort.abort(reason)
    await expect(calling).rejects.toBe(reason)
  })

  test('that comes with the body leaves the status standing', async () => {
    const abort = new AbortController()
    const origin = await serveRaw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n{"mess')
      setTimeout(() => abort.abort(reason), 200)
    })
    expect(await call(await apiOf(origin), { signal: abort.signal })).toMatchObject({
      kind: 'answer',
      status: 200,
    })
  })

  test('of one call leaves the others alone, and nothing is left listening', async () => {
    const origin = await serve((_, response) => setTimeout(() => response.end(), 60))
    const api = await apiOf(origin)
    const abort = new AbortController()
    const calls = [call(api, { signal: abort.signal }), call(api), call(api)]
    abort.abort(reason)
    await expect(calls[0]).rejects.toBe(reason)
    for (const answered of calls.slice(1)) expect(await answered).toMatchObject({ status: 200 })
  })
})

test('more calls than connections wait for one and are all answered', async () => {
  let most = 0
  let inFlight = 0
  const origin = await serve((_, response) => {
    inFlight += 1
    most = Math.max(most, inFlight)
    setTimeout(() => {
      inFlight -= 1
      response.end()
    }, 5)
  })
  const api = await apiOf(origin)
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(api)))
  expect(answers.map((answer) => answer.kind)).toEqual(Array(20).fill('answer'))
  expect(most).toBeLessThanOrEqual(4)
})
