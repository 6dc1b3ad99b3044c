/** What the API says, before it is put into HTTP. Status 0: nothing, the connection is dropped. */
export interface Answer {
  status: number
  body: string
  headers: Record<string, string>
}

export function json(status: number, value: unknown, headers: Record<string, string> = {}): Answer {
  return { status, body: JSON.stringify(value), headers: { 'content-type': 'application/json', ...headers } }
}

/** The API's way to say no. `details` may be a string, a list, an object or null. */
export function refusal(status: number, type: string, message: string, details: unknown = null): Answer {
  return json(status, { errors: [{ type, message, details }] })
}

/** What a proxy in front of the API says: HTML, which a client that expects JSON has to survive. */
export function proxyPage(status: number, title: string): Answer {
  const body = `<html><head><title>${status} ${title}</title></head><body><center><h1>${status} ${title}</h1></center><hr></body></html>`
  return { status, body, headers: { 'content-type': 'text/html' } }
}

export function redirect(location: string): Answer {
  return { status: 301, body: '', headers: { location } }
}

export const dropped: Answer = { status: 0, body: '', headers: {} }

/** Announces the whole of an answer and brings half of it: the connection breaks in the middle. */
export function cutOff({ status, body, headers }: Answer): Answer {
  const half = body.slice(0, body.length / 2)
  return { status, body: half, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } }
}

export const notFound = (message: string) => refusal(404, 'resource_not_found', message)
export const serverError = () => refusal(500, 'internal_server_error', 'Internal server error')
export const unavailable = () => refusal(503, 'service_unavailable', 'Service temporarily unavailable')

export function toResponse({ status, body, headers }: Answer, date: string): Response {
  // An error response is what msw, and fetch with it, call a connection that broke.
  if (status === 0) return Response.error()
  return new TextResponse(body, { status, headers: { date, ...headers } })
}

/** Gives back its text as it came. Reading it out of the stream that fetch makes of it is slow. */
class TextResponse extends Response {
  override readonly text: () => Promise<string>

  constructor(body: string, init: ResponseInit) {
    super(body, init)
    this.text = async () => body
  }
}
