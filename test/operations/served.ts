import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net'
import { afterEach } from 'vitest'
import type { ApiAnswer, ApiRequest } from '../../src/job.js'
import { type HttpApi, openHttpApi } from '../../src/operations/http.js'

export const key = 'ada-key-1234'
const closings: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closings.splice(0).reverse()) await close()
})

export async function apiOf(origin: string, timeoutMs = 10_000): Promise<HttpApi> {
  const api = await openHttpApi({ origin, key, timeoutMs, connections: 4, userAgent: 'ada-bulk/test' })
  closings.push(() => api.close())
  return api
}

export async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

export async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  closings.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return listen(server)
}

/** A server that does to the connection what the test says once a whole request is there. */
export async function serveRaw(onRequest: (socket: Socket) => void): Promise<string> {
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

export const end: Omit<ApiRequest, 'signal'> = { method: 'POST', path: '/api/v2/conversations/66f2a91c/end/' }

export function call(api: HttpApi, request: Partial<ApiRequest> = {}): Promise<ApiAnswer> {
  return api.call({ ...end, signal: new AbortController().signal, ...request })
}
