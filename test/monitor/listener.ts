import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What came to an address that is told of runs. */
export interface Heard {
  method: string
  path: string
  type: string | undefined
  body: string
}

export interface Listener {
  url: string
  heard: Heard[]
  /** What the next call is answered with; default: 200. */
  answer: (response: ServerResponse, index: number) => void
  close(): void
}

/** A server of this machine that is told of runs. */
export async function startListener(answer: Listener['answer'] = ok): Promise<Listener> {
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text) => {
      body += text
    })
    request.on('end', () => {
      listener.heard.push({
        method: request.method!,
        path: request.url!,
        type: request.headers['content-type'],
        body,
      })
      listener.answer(response, listener.heard.length)
    })
  })
  const listener: Listener = {
    url: '',
    heard: [],
    answer,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  listener.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return listener
}

export const ok: Listener['answer'] = (response) => void response.end('OK')
export const status =
  (code: number, headers: Record<string, string> = {}): Listener['answer'] =>
  (response) =>
    void response.writeHead(code, headers).end()
export const hang: Listener['answer'] = () => {}
export const reset: Listener['answer'] = (response) => void response.socket!.resetAndDestroy()
