import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { getResponse, type HttpHandler } from 'msw'
import { type AdaOptions, createAda } from './ada.js'
import { listen } from './listen.js'
import { ServedRequest } from './served-request.js'
import type { SandboxState } from './state.js'

export { sandboxKey } from './key.js'

export interface SandboxOptions extends AdaOptions {
  /** Default 0: a free one. */
  port?: number
}

export interface Sandbox {
  /** `http://127.0.0.1:PORT`, with nothing after it. */
  url: string
  state: SandboxState
  close(): Promise<void>
}

const largestBodyBytes = 10 * 1024 * 1024

/** Starts a local Ada to practise on, for clients on this computer only. */
export async function startSandbox({ port = 0, ...options }: SandboxOptions = {}): Promise<Sandbox> {
  const { handlers, state } = createAda(options)
  let url = ''
  const server = createServer((incoming, outgoing) => {
    serve(handlers, url, incoming, outgoing).catch((error: NodeJS.ErrnoException) => {
      // The client went away in the middle of its request: there is nobody to answer.
      if (error.code !== 'ECONNRESET') throw error
    })
  })
  // Longer than any client keeps a connection, so that it is the client that lets go.
  server.keepAliveTimeout = 65_000
  url = `http://127.0.0.1:${await listen(server, port)}`
  return {
    url,
    state,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

async function serve(
  handlers: HttpHandler[],
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const url = `${origin}${incoming.url}`
  // `OPTIONS *` and proxy requests have a target that is no path of ours.
  if (!URL.canParse(url)) return send(outgoing, 400)
  const body = await bodyOf(incoming)
  if (body === null) return send(outgoing, 413)
  const request = new ServedRequest(url, incoming, outgoing, body)
  const response = await getResponse(handlers, request.forMsw())
  if (!response || response.type === 'error') {
    incoming.socket.destroy()
    return
  }
  send(outgoing, response.status, Object.fromEntries(response.headers), await response.text())
}

function send(
  outgoing: ServerResponse,
  status: number,
  headers: Record<string, string> = {},
  text = '',
): void {
  const length = String(Buffer.byteLength(text))
  outgoing.writeHead(status, { 'content-length': length, ...headers })
  const isCutOff = headers['content-length'] !== undefined && headers['content-length'] !== length
  if (isCutOff) outgoing.write(text, () => outgoing.destroy())
  else outgoing.end(text)
}

/** Read to its end even when it is too large (null), or the connection could not be used again. */
async function bodyOf(incoming: IncomingMessage): Promise<string | null> {
  const { 'content-length': length, 'transfer-encoding': encoding } = incoming.headers
  if (!encoding && (length === undefined || length === '0')) return ''
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of incoming) {
    bytes += chunk.length
    if (bytes <= largestBodyBytes) chunks.push(chunk)
  }
  return bytes > largestBodyBytes ? null : Buffer.concat(chunks).toString()
}
