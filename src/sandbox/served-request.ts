import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * A call that came over HTTP, as much of fetch's Request as msw and our handlers need. A real Request, its
 * signal and the clone that msw takes of it for its log cost about a fifth of the server's time.
 */
export class ServedRequest
  implements Pick<Request, 'method' | 'url' | 'headers' | 'signal' | 'clone' | 'text' | 'json'>
{
  readonly method: string
  readonly headers: Headers
  private gone: AbortController | null = null

  constructor(
    readonly url: string,
    incoming: IncomingMessage,
    private readonly outgoing: ServerResponse,
    private readonly body: string,
  ) {
    this.method = incoming.method!
    this.headers = new Headers()
    for (const [name, value] of Object.entries(incoming.headers)) {
      if (value !== undefined) this.headers.set(name, String(value))
    }
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
    return this.forMsw()
  }

  async text(): Promise<string> {
    return this.body
  }

  async json(): Promise<unknown> {
    return JSON.parse(this.body)
  }

  forMsw(): Request {
    return this as unknown as Request
  }
}
