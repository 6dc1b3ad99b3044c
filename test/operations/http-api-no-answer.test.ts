import { once } from 'node:events'
import { createServer as createTcpServer, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { apiOf, call, key, listen, serve, serveRaw } from './served.js'

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
