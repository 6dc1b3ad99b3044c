import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { UsageError } from '../system/errors.js'
import type { Ada } from './ada.js'
import type { CallObserver } from './middleware.js'
import type { AdaOptions } from './options.js'

export interface SandboxOptions extends AdaOptions {
  /** Default 0: a free one. */
  port?: number
}

export interface Sandbox extends Pick<Ada, 'conversations' | 'deletions'> {
  /** `http://127.0.0.1:PORT`, with nothing after it. */
  url: string
  close(): Promise<void>
}

type Respond = (request: Request) => Promise<Response | undefined>

const largestBodyBytes = 10 * 1024 * 1024

/** Starts a local Ada to practise on, for clients on this computer only. */
export async function startSandbox(
  { port = 0, ...options }: SandboxOptions = {},
  observer: CallObserver | null = null,
): Promise<Sandbox> {
  // msw takes half a second to load, so it is loaded only now.
  const [{ getResponse }, { createAda }] = await Promise.all([import('msw'), import('./ada.js')])
  const { handlers, conversations, deletions } = createAda(options, observer)
  let url = ''
  const server = createServer((incoming, outgoing) => {
    serve((request) => getResponse(handlers, request), url, incoming, outgoing).catch(
      (error: NodeJS.ErrnoException) => {
        // The client went away in the middle of its request: there is no one to answer.
        if (error.code !== 'ECONNRESET') throw error
      },
    )
  })
  // Longer than any client keeps a connection, so that it is the client that lets go.
  server.keepAliveTimeout = 65_000
  url = `http://127.0.0.1:${await listen(server, port)}`
  return {
    url,
    conversations,
    deletions,
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeAllConnections()
      return closed
    },
  }
}

/** Every client built on fetch refuses to call these (the "bad ports" of the fetch standard; 1 to 1023 left out). */
const portsThatFetchRefuses = new Set([
  1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697,
  10080,
])

/** Listens on this computer only, and gives back the port; 0 asks for a free one. */
export async function listen(server: Server, port: number): Promise<number> {
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new UsageError(`Port ${port} does not exist: choose one from 1024 to 65535, or 0 for a free one.`)
  if (portsThatFetchRefuses.has(port))
    throw new UsageError(
      `Port ${port} is one that HTTP clients refuse to call: choose another, such as 4010.`,
    )
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, port)))
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

function explained(error: NodeJS.ErrnoException, port: number): Error {
  if (error.code === 'EACCES')
    return new UsageError(`You are not allowed to use port ${port}: choose one from 1024 to 65535.`)
  const help = 'stop that one, choose another port, or 0 for a free one.'
  return error.code === 'EADDRINUSE'
    ? new UsageError(`Port ${port} is in use by another program: ${help}`)
    : error
}

async function serve(
  respond: Respond,
  origin: string,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const url = `${origin}${incoming.url}`
  // `OPTIONS *` and proxy requests have a target that is no path of ours.
  if (!URL.canParse(url)) return send(outgoing, 400)
  const body = await bodyOf(incoming)
  if (body === null) return send(outgoing, 413)
  const response = await respond(new ServedRequest(url, incoming, outgoing, body) as unknown as Request)
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

/**
 * A call that came over HTTP, as much of fetch's Request as msw and the handlers need. A real Request, its signal and
 * the clone that msw takes of it for its log cost about a fifth of the server's time.
 */
class ServedRequest implements Pick<Request, 'method' | 'url' | 'headers' | 'signal' | 'clone' | 'text'> {
  readonly method: string
  readonly headers = new Headers()
  private gone: AbortController | null = null

  constructor(
    readonly url: string,
    incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly body: string,
  ) {
    this.method = incoming.method!
    for (const [name, value] of Object.entries(incoming.headers))
      if (value !== undefined) this.headers.set(name, String(value))
  }

  /** Aborted when the client goes away before it has its answer. */
  get signal(): AbortSignal {
    if (this.gone) return this.gone.signal
    const gone = new AbortController()
    this.gone = gone
    this.outgoing.once('close', () => {
      if (!this.outgoing.writableFinished) gone.abort()
    })
    return gone.signal
  }

  clone(): Request {
    return this as unknown as Request
  }

  async text(): Promise<string> {
    return this.body
  }
}
