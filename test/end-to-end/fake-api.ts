import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { closeAtEnd, key, until } from './harness.js'

/** One call as the API sees it. */
export interface Call {
  id: string
  /** From 1, over all calls. */
  index: number
  /** From 1, over the calls for this ID. */
  nth: number
  /** The conversation was ended by an earlier call. */
  isEnded: boolean
  /** Milliseconds, monotonic. */
  atMs: number
  /** What the client was told; null: nothing yet, or never. */
  status: number | null
}

/** What the API does with one call. */
export interface Answer {
  /** The conversation is ended by it, whether or not the client hears of it. */
  ends?: true
  status: number | null
  send(response: ServerResponse): void
}

export type Script = (call: Call) => Answer | Promise<Answer>

export interface FakeApi {
  url: string
  /** In the order of arrival. */
  calls: Call[]
  /** IDs of the conversations that were asked for, in order. */
  looks: string[]
  /** It answers no question either. */
  isDown: boolean
  /** The key that is taken. */
  key: string
  /** IDs of the conversations that were ended. */
  ended: Set<string>
  script: Script
  /** Called when an answer was handed to the network. */
  onAnswered: (call: Call) => void
  /** More than 1: two calls for one ID at once. */
  mostInFlightForOneId: number
  inFlight: number
  /** How often each ID was called. */
  timesCalled(id: string): number
  /** Resolves when so many calls have arrived. */
  arrived(count: number): Promise<void>
}

/** What Ada does: ends a conversation, and says so when it was ended before. */
export const ada: Script = ({ isEnded }) => (isEnded ? expired : ended)

/** An API whose answers a test writes. Like the real one it refuses other paths, methods and keys. */
export async function startFakeApi(script: Script = ada, expectedKey = key): Promise<FakeApi> {
  const times = new Map<string, number>()
  const inFlight = new Map<string, number>()
  const server = createServer(async (request, response) => {
    request.resume()
    const path = /^\/api\/v2\/conversations\/([^/]+)\/(end\/)?$/.exec(request.url ?? '')
    if (request.headers.authorization !== `Bearer ${api.key}`) return void unauthorized.send(response)
    if (!path) return void notFound.send(response)
    const id = decodeURIComponent(path[1]!)
    if (path[2] === undefined && request.method === 'GET') {
      api.looks.push(id)
      if (api.isDown) return void unavailable.send(response)
      if (id === 'ada-bulk-doctor') return void notFound.send(response)
      const status = api.ended.has(id) ? 'ended' : 'active'
      return void json(200, { id, status, updated_at: '2026-01-01T00:00:00.000000+00:00' }).send(response)
    }
    if (request.method !== 'POST') return void refusal(405, 'method_not_allowed', 'no').send(response)
    times.set(id, api.timesCalled(id) + 1)
    const call: Call = {
      id,
      index: api.calls.length + 1,
      nth: api.timesCalled(id),
      isEnded: api.ended.has(id),
      atMs: performance.now(),
      status: null,
    }
    api.calls.push(call)
    api.inFlight += 1
    inFlight.set(id, (inFlight.get(id) ?? 0) + 1)
    api.mostInFlightForOneId = Math.max(api.mostInFlightForOneId, inFlight.get(id)!)
    response.on('close', () => {
      api.inFlight -= 1
      inFlight.set(id, inFlight.get(id)! - 1)
    })
    response.on('finish', () => api.onAnswered(call))
    const answer = await api.script(call)
    if (answer.ends) api.ended.add(id)
    call.status = answer.status
    answer.send(response)
  })
  server.keepAliveTimeout = 65_000
  const api: FakeApi = {
    url: '',
    calls: [],
    looks: [],
    isDown: false,
    key: expectedKey,
    ended: new Set(),
    script,
    onAnswered() {},
    mostInFlightForOneId: 0,
    inFlight: 0,
    timesCalled: (id) => times.get(id) ?? 0,
    arrived: (count) => until(() => api.calls.length >= count),
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  api.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  closeAtEnd(() => {
    server.closeAllConnections()
    server.close()
  })
  return api
}

/** A port of this computer where nobody listens. */
export async function portWithoutListener(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return plain(status, JSON.stringify(value), { 'content-type': 'application/json', ...headers })
}

export function plain(status: number, body: string, headers: Record<string, string> = {}): Answer {
  return { status, send: (response) => void response.writeHead(status, headers).end(body) }
}

/** As Ada says no. */
export function refusal(
  status: number,
  type: string,
  message: string,
  headers: Record<string, string> = {},
): Answer {
  return json(status, { errors: [{ type, message, details: null }] }, headers)
}

export const ended: Answer = { ...json(200, { message: 'Conversation ended successfully.' }), ends: true }
export const expired = refusal(400, 'validation_error', 'Conversation is expired')
export const invalidId = refusal(400, 'validation_error', 'Invalid conversation_id')
export const unauthorized = json(401, { message: 'Unauthorized' })
export const forbidden = refusal(403, 'forbidden', 'This key may not do that')
export const notFound = refusal(404, 'resource_not_found', 'Conversation was not found')
export const serverError = refusal(500, 'internal_server_error', 'Internal server error')
export const unavailable = refusal(503, 'service_unavailable', 'Service temporarily unavailable')
export const tooMany = (headers: Record<string, string> = {}) =>
  refusal(429, 'rate_limit_exceeded', 'Too many requests', headers)
export const badGateway = plain(
  502,
  '<html><head><style>h1{color:red}</style><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>',
  { 'content-type': 'text/html' },
)

/** The connection is cut before anything has happened. */
export const resetBefore: Answer = {
  status: null,
  send: (response) => void response.socket!.resetAndDestroy(),
}
/** The conversation is ended, and the connection is cut before the answer. */
export const resetAfter: Answer = { ...resetBefore, ends: true }
/** Never answers. */
export const hang: Answer = { status: null, send() {} }
/** Ends the conversation and never answers. */
export const hangAfter: Answer = { ...hang, ends: true }
/** A status, half of what was announced, and the end of the connection. */
export function half(status: number, body: string): Answer {
  return {
    status,
    ...(status === 200 ? { ends: true as const } : {}),
    send(response) {
      response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
      response.write(body.slice(0, body.length / 2), () => response.socket!.destroy())
    },
  }
}
/** What is no HTTP. */
export const garbage: Answer = {
  status: null,
  send: (response) => void response.socket!.end('220 mail.example.com ESMTP ready\r\n\r\n'),
}
