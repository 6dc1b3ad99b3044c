import type { RateWindow } from '../settings/limits.js'
import type { AdaSettings } from './options.js'
import { type Prng, prngOf } from './prng.js'
import { RateWindows, type ServerQuota } from './windows.js'

/** What the API says, before it is put into HTTP. Status 0: the connection is dropped without an answer. */
export interface Answer {
  status: number
  body: string
  headers: Record<string, string>
}

export function json(status: number, value: unknown): Answer {
  return { status, body: JSON.stringify(value), headers: { 'content-type': 'application/json' } }
}

/** How the API refuses. `details` may be a string, a list, an object or null. */
export function refusal(status: number, type: string, message: string, details: unknown = null): Answer {
  return json(status, { errors: [{ type, message, details }] })
}

export const invalid = (message: string, details?: unknown) =>
  refusal(400, 'validation_error', message, details)
export const notFound = (message: string) => refusal(404, 'resource_not_found', message)
export const serverError = () => refusal(500, 'internal_server_error', 'Internal server error')
export const unavailable = () => refusal(503, 'service_unavailable', 'Service temporarily unavailable')
export const dropped: Answer = { status: 0, body: '', headers: {} }

export interface Call {
  request: Request
  params: Record<string, string>
}

/** What a call does once it is let in, and what time it is then. */
export type Act = (call: Call, nowMs: number) => Answer

/** Puts an act behind the middleware, as a resolver for msw. */
export type Guard = (act: Act) => (call: { request: Request; params: object }) => Promise<Response>

export const refuseMethod: Act = ({ request }) =>
  refusal(405, 'method_not_allowed', `Method ${request.method} is not allowed here`)

/**
 * Stands in front of every handler: latency, outage, key, rate windows, faults. Then the call may act. Each area of
 * the API has windows of its own and shares the rest.
 */
export function middleware(settings: AdaSettings, observer: CallObserver | null) {
  const { clock, key, latencyMs, outage, seed, windowKind } = settings
  const startedAtMs = clock.monotonicMs()
  const startedOnWallMs = clock.wallMs()
  let firstCallAtMs: number | null = null
  let arrived = 0
  const timesCalled = new Map<string, number>()
  /** Since the start. The wall clock may be set while the sandbox runs, and the windows must not notice. */
  const sinceStartMs = () => clock.monotonicMs() - startedAtMs

  function count(id: string | null): number {
    arrived += 1
    if (id === null) return arrived
    const times = (timesCalled.get(id) ?? 0) + 1
    timesCalled.set(id, times)
    return times
  }

  function answerTo(call: Call, act: Act, windows: RateWindows, random: Prng, nowMs: number): Received {
    const sinceFirstCallMs = nowMs - firstCallAtMs!
    if (outage && sinceFirstCallMs >= outage.afterMs && sinceFirstCallMs < outage.afterMs + outage.forMs)
      return unspoilt(random() < 0.5 ? dropped : unavailable())
    if (call.request.headers.get('authorization') !== `Bearer ${key}`)
      return unspoilt(json(401, { message: 'Unauthorized' }))
    const wallMs = startedOnWallMs + nowMs
    const judgement = windows.judge(wallMs)
    if (judgement.isOver) return unspoilt(tooMany(judgement.retryAfterMs, settings.retryAfter))
    const fault = faultOf(settings, random)
    if (fault && !fault.hasActed) return unspoilt(fault.answer)
    const answer = withQuota(act(call, wallMs), judgement.quota)
    const received = fault ? fault.spoil(answer) : answer
    if (received.status === 0) return { answer: received, spoilt: 'lost' }
    const isHalved = received !== answer && received.status === answer.status
    return { answer: received, spoilt: isHalved ? 'halved' : null }
  }

  async function pass(call: Call, act: Act, windows: RateWindows): Promise<Response> {
    const { method, url, signal } = call.request
    const id = call.params.id ?? null
    const nth = count(id)
    const leave = observer?.arrive(id) ?? (() => {})
    firstCallAtMs ??= sinceStartMs()
    try {
      // With the query, which matters for Data Export.
      const path = url.slice(url.indexOf('/', url.indexOf('//') + 2))
      const random = prngOf(`${seed} ${method} ${path} ${nth}`)
      const wholeMs = latencyMs.min + random() * (latencyMs.max - latencyMs.min)
      const inwardMs = wholeMs * random()
      if (wholeMs > 0) {
        // A client that gives up may call again at once, while the first call is still under way here.
        if (signal.aborted) leave()
        signal.addEventListener('abort', leave, { once: true })
        await clock.sleep(inwardMs)
      }
      const atMs = sinceStartMs()
      const { answer, spoilt } = answerTo(call, act, windows, random, atMs)
      observer?.answered({ atMs, method, path, id, status: answer.status, spoilt })
      if (wholeMs > 0) await clock.sleep(wholeMs - inwardMs)
      return toResponse(answer, new Date(startedOnWallMs + sinceStartMs()).toUTCString())
    } finally {
      leave()
    }
  }

  return (limits: readonly RateWindow[] | 'none'): Guard => {
    const windows = new RateWindows(limits === 'none' ? [] : limits, windowKind)
    return (act) =>
      ({ request, params }) =>
        pass({ request, params: params as Record<string, string> }, act, windows)
  }
}

/** A call that has reached the API and was answered. */
export interface AnsweredCall {
  /** When it reached the API, in milliseconds since the sandbox started. */
  atMs: number
  method: string
  path: string
  /** The conversation it was for, null where there is none. */
  id: string | null
  /** 0: the connection was dropped. */
  status: number
  /** It had its effect, and its answer did not come, or half of it. */
  spoilt: 'lost' | 'halved' | null
}

/** Told of every call, for tests that check on a client. */
export interface CallObserver {
  /** Returns what to call when the call is over, once or more. */
  arrive(id: string | null): () => void
  answered(call: AnsweredCall): void
}

/**
 * Matches a path on any host: `/api/v2/conversations/:id/end/`. msw's own paths take a missing final slash for the
 * same path and fail on a percent sign that is no escape; this API does neither.
 */
export function at(path: string) {
  const pattern = new RegExp(`^[a-z]+://[^/]+${path.replace(/:(\w+)/g, '(?<$1>[^/?#]+)')}(?:[?#].*)?$`)
  return ({ request }: { request: Request }): { matches: boolean; params: Record<string, string> } => {
    const params: Record<string, string> = {}
    const found = pattern.exec(request.url)
    try {
      for (const [name, value] of Object.entries(found?.groups ?? {})) {
        // A new string: a slice of the URL would keep the whole URL in memory for as long as the ID is remembered.
        params[name] = Buffer.from(decodeURIComponent(value)).toString()
      }
      return { matches: found !== null, params }
    } catch {
      return { matches: false, params: {} }
    }
  }
}

type Received = { answer: Answer } & Pick<AnsweredCall, 'spoilt'>

const unspoilt = (answer: Answer): Received => ({ answer, spoilt: null })

type Fault =
  /** The call has no effect. */
  | { hasActed: false; answer: Answer }
  /** The call has its effect, and then its answer is spoilt: the client cannot know. */
  | { hasActed: true; spoil: (answer: Answer) => Answer }

function faultOf({ errorRate, dropRate }: AdaSettings, random: Prng): Fault | null {
  const draw = random()
  if (draw < dropRate) {
    const kind = random()
    if (kind < 0.5) return { hasActed: false, answer: dropped }
    return { hasActed: true, spoil: kind < 0.9 ? () => dropped : cutOff }
  }
  if (draw >= dropRate + errorRate) return null
  const answer = errors[Math.floor(random() * errors.length)]!
  return random() < 0.75 ? { hasActed: false, answer } : { hasActed: true, spoil: () => answer }
}

const errors = [
  serverError(),
  proxyPage(502, 'Bad Gateway'),
  unavailable(),
  proxyPage(503, 'Service Temporarily Unavailable'),
]

/** What a proxy in front of the API answers: HTML, which a client that expects JSON has to survive. */
function proxyPage(status: number, title: string): Answer {
  const body = `<html><head><title>${status} ${title}</title></head><body><center><h1>${status} ${title}</h1></center><hr></body></html>`
  return { status, body, headers: { 'content-type': 'text/html' } }
}

/** Announces the whole answer and brings half of it: the connection breaks in the middle. */
function cutOff({ status, body, headers }: Answer): Answer {
  const half = body.slice(0, body.length / 2)
  return { status, body: half, headers: { ...headers, 'content-length': String(Buffer.byteLength(body)) } }
}

function tooMany(retryAfterMs: number, saysWhen: boolean): Answer {
  const answer = refusal(429, 'rate_limit_exceeded', 'Too many requests')
  const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
  return saysWhen ? { ...answer, headers: { ...answer.headers, 'retry-after': String(seconds) } } : answer
}

function withQuota(answer: Answer, quota: ServerQuota | null): Answer {
  if (quota === null || answer.status < 200 || answer.status >= 300) return answer
  const headers = {
    ...answer.headers,
    'x-ratelimit-limit': String(quota.limit),
    'x-ratelimit-remaining': String(quota.remaining),
    'x-ratelimit-reset': String(Math.ceil(quota.resetAtMs / 1000)),
  }
  return { ...answer, headers }
}

function toResponse({ status, body, headers }: Answer, date: string): Response {
  // msw, like fetch, calls a broken connection an error response.
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
