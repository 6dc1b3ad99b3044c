import { EventEmitter } from 'node:events'
import type { Server } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { listen } from '../../src/sandbox/server.js'
import { UsageError } from '../../src/system/errors.js'
import { call, end, StillClock, sandboxWith, until } from './client.js'
import { type Sandbox, startSandbox } from './sandboxes.js'

const id = '66f0b7d24c19a3e85d7b9a14'

/** Sends raw bytes over a connection of their own and gives back all that comes until it is closed. */
async function raw(sandbox: Sandbox, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

test('the address is that of this computer, with nothing after the port', async () => {
  expect((await sandboxWith()).url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
})

test('it is not reached by any other address, so nobody else in the network can', async () => {
  const { url } = await sandboxWith()
  await expect(fetch(url.replace('127.0.0.1', '127.0.0.2'))).rejects.toThrow('fetch failed')
})

test('a connection is kept and used again, whatever the answer', async () => {
  const sandbox = await sandboxWith()
  const request = (path: string, last = '') =>
    `POST ${path} HTTP/1.1\r\nHost: ada\r\nAuthorization: Bearer sandbox-key\r\n${last}\r\n`
  const received = await raw(
    sandbox,
    [
      request(`/api/v2/conversations/${id}/end/`),
      request(`/api/v2/conversations/${id}/end/`, 'Content-Length: 2\r\n').concat('{}'),
      request(`/api/v2/conversations/${id}/end`),
      request('/', 'Connection: close\r\n'),
    ].join(''),
  )
  expect(received.match(/HTTP\/1\.1 \d+/g)).toEqual([
    'HTTP/1.1 200',
    'HTTP/1.1 400',
    'HTTP/1.1 301',
    'HTTP/1.1 404',
  ])
})

test('every answer carries the date of the clock that the windows go by', async () => {
  const clock = new StillClock()
  const sandbox = await sandboxWith({ clock })
  clock.pass(90_000)
  expect((await end(sandbox, id)).headers.get('date')).toBe('Mon, 02 Nov 2026 09:31:30 GMT')
})

describe('what is no proper request', () => {
  const table: [string, string, string][] = [
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n', 'HTTP/1.1 400'],
    [
      'a target that is no path',
      'OPTIONS * HTTP/1.1\r\nHost: ada\r\nConnection: close\r\n\r\n',
      'HTTP/1.1 400',
    ],
    [
      'a target for a proxy',
      'GET http://ada/ HTTP/1.1\r\nHost: ada\r\nConnection: close\r\n\r\n',
      'HTTP/1.1 400',
    ],
    [
      'a method that fetch forbids',
      'TRACE / HTTP/1.1\r\nHost: ada\r\nConnection: close\r\n\r\n',
      'HTTP/1.1 401',
    ],
    ['a header that is too long', `GET / HTTP/1.1\r\nHost: ${'a'.repeat(20_000)}\r\n\r\n`, 'HTTP/1.1 431'],
  ]
  test.each(table)('%s is refused, and the server goes on', async (_, bytes, expected) => {
    const sandbox = await sandboxWith()
    expect(await raw(sandbox, bytes)).toContain(expected)
    expect((await end(sandbox, id)).status).toBe(200)
  })

  test('a body of more than 10 MB is refused', async () => {
    const sandbox = await sandboxWith()
    expect((await end(sandbox, id, { body: 'a'.repeat(10 * 1024 * 1024 + 1) })).status).toBe(413)
    expect((await end(sandbox, id, { body: 'a'.repeat(10 * 1024 * 1024) })).status).toBe(200)
  })
})

describe('a client that goes away', () => {
  test('in the middle of its request is forgotten', async () => {
    const sandbox = await sandboxWith()
    const socket = connect(Number(new URL(sandbox.url).port), '127.0.0.1')
    const head = `POST /api/v2/conversations/${id}/end/ HTTP/1.1\r\nHost: ada\r\nContent-Length: 100\r\n\r\nabc`
    await new Promise<void>((resolve) => socket.write(head, () => resolve()))
    socket.resetAndDestroy()
    expect((await end(sandbox, '66f0b7d24c19a3e85d7b9a15')).status).toBe(200)
    expect(sandbox.state.isEnded(id)).toBe(false)
  })

  test('before its answer does no harm', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock, latencyMs: { min: 20, max: 20 } })
    const patience = new AbortController()
    const givenUp = end(sandbox, id, { signal: patience.signal })
    await until(() => clock.asleep === 1)
    patience.abort()
    await givenUp
    const next = call(sandbox, 'GET', `/api/v2/conversations/${id}/`)
    expect((await clock.passUntilSettled(next)).status).toBe(200)
    expect(sandbox.state.isEnded(id)).toBe(true)
  })
})

test('closing drops calls that are still in flight and lets the port go', async () => {
  const clock = new StillClock()
  const sandbox = await startSandbox({ clock, latencyMs: { min: 20, max: 20 } })
  const inFlight = end(sandbox, id)
  await until(() => clock.asleep === 1)
  await sandbox.close()
  expect((await inFlight).status).toBe(0)
  const port = Number(new URL(sandbox.url).port)
  expect((await sandboxWith({ port })).url).toBe(sandbox.url)
})

describe('a port that cannot be used', () => {
  test('because it is in use is said in one sentence', async () => {
    const port = Number(new URL((await sandboxWith()).url).port)
    await expect(startSandbox({ port })).rejects.toEqual(
      new UsageError(
        `Port ${port} is in use by another program: stop that one, choose another port, or 0 for a free one.`,
      ),
    )
  })

  test.each([-1, 65_536, 4010.5, Number.NaN])('because there is no port %d', async (port) => {
    await expect(startSandbox({ port })).rejects.toThrow(UsageError)
  })

  test('because fetch refuses to call it', async () => {
    await expect(startSandbox({ port: 6000 })).rejects.toThrow(/^Port 6000 is one that HTTP clients refuse/)
  })

  test('because we are not allowed to', async () => {
    const server = Object.assign(new EventEmitter(), {
      listen() {
        server.emit('error', Object.assign(new Error('listen EACCES'), { code: 'EACCES' }))
      },
    })
    await expect(listen(server as unknown as Server, 80)).rejects.toEqual(
      new UsageError('You are not allowed to use port 80: choose one from 1024 to 65535.'),
    )
  })
})
