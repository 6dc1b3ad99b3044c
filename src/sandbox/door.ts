import type { Clock } from '../system/clock.js'
import { type Answer, json, refusal, toResponse } from './answers.js'
import { type Chance, chanceOf } from './chance.js'
import { type FaultRates, faultOf, outageAnswer } from './faults.js'
import type { RateWindows, ServerQuota } from './rate-windows.js'
import type { SandboxState } from './state.js'

export interface DoorOptions extends FaultRates {
  /** What must come after `Bearer`. */
  key: string
  /** How long a call takes, drawn between the two; a part of it passes before the API sees the call, the rest after. */
  latencyMs: { min: number; max: number }
  /** Everything is down for a while. Counted from the first call, as nobody knows how long a client needs to start. */
  outage: { afterMs: number; forMs: number } | null
  /** The same seed gives the same latencies and faults to the same calls. */
  seed: number | string
  /** Whether a 429 says when to come back. */
  retryAfter: boolean
  /** Whether successful answers say how much is left. */
  rateLimitHeaders: boolean
  clock: Clock
}

export interface Call {
  request: Request
  params: Record<string, string>
}

/** What a handler does once the call is let in, and what time it is then. */
export type Act = (call: Call, nowMs: number) => Answer

/** Puts an act behind the door, as a resolver for msw. */
export type Before = (act: Act) => (call: { request: Request; params: object }) => Promise<Response>

/** Stands in front of every handler: latency, outage, key, rate windows, faults. Then the call may act. */
export class Door {
  private readonly startedAtMs: number
  private readonly startedOnWallMs: number
  private firstCallAtMs: number | null = null

  constructor(
    private readonly options: DoorOptions,
    private readonly state: SandboxState,
  ) {
    this.startedAtMs = options.clock.monotonicMs()
    this.startedOnWallMs = options.clock.wallMs()
  }

  /** For an area of the API. Each has windows of its own; all the rest they share. */
  entrance(windows: RateWindows): Before {
    return (act) =>
      ({ request, params }) =>
        this.pass({ request, params: params as Record<string, string> }, act, windows)
  }

  private async pass(call: Call, act: Act, windows: RateWindows): Promise<Response> {
    const { latencyMs, seed, clock } = this.options
    const { request } = call
    const id = call.params.id ?? null
    const leave = this.state.arrive(id)
    this.firstCallAtMs ??= this.nowMs()
    try {
      const path = pathOf(request)
      const nth = id === null ? this.state.arrived : this.state.timesCalled(id)
      const chance = chanceOf(`${seed} ${request.method} ${path} ${nth}`)
      const wholeMs = latencyMs.min + chance() * (latencyMs.max - latencyMs.min)
      const inwardMs = wholeMs * chance()
      if (wholeMs > 0) {
        // A client that gives up may call again at once, though the first call goes on here.
        if (request.signal.aborted) leave()
        request.signal.addEventListener('abort', leave, { once: true })
        await clock.sleep(inwardMs)
      }
      const nowMs = this.nowMs()
      const answer = this.judge(call, act, windows, chance, nowMs)
      this.state.keep({ atMs: nowMs, method: request.method, path, id, status: answer.status })
      if (wholeMs > 0) await clock.sleep(wholeMs - inwardMs)
      return toResponse(answer, new Date(this.startedOnWallMs + this.nowMs()).toUTCString())
    } finally {
      leave()
    }
  }

  private judge(call: Call, act: Act, windows: RateWindows, chance: Chance, nowMs: number): Answer {
    const { key, outage } = this.options
    const sinceFirstCallMs = nowMs - this.firstCallAtMs!
    if (outage && sinceFirstCallMs >= outage.afterMs && sinceFirstCallMs < outage.afterMs + outage.forMs) {
      return outageAnswer(chance)
    }
    if (call.request.headers.get('authorization') !== `Bearer ${key}`) {
      return json(401, { message: 'Unauthorized' })
    }
    const wallMs = this.startedOnWallMs + nowMs
    const judgement = windows.judge(wallMs)
    if (judgement.isOver) return this.tooMany(judgement.retryAfterMs)
    const fault = faultOf(this.options, chance)
    if (fault && !fault.hasActed) return fault.answer
    const answer = this.withQuota(act(call, wallMs), judgement.quota)
    const received = fault ? fault.spoil(answer) : answer
    if (received.status === 0) this.state.answersLost += 1
    else if (received !== answer && received.status === answer.status) this.state.answersHalved += 1
    return received
  }

  private tooMany(retryAfterMs: number): Answer {
    this.state.rateLimited += 1
    const answer = refusal(429, 'rate_limit_exceeded', 'Too many requests')
    if (!this.options.retryAfter) return answer
    const seconds = Math.max(1, Math.ceil(retryAfterMs / 1000))
    return { ...answer, headers: { ...answer.headers, 'retry-after': String(seconds) } }
  }

  private withQuota(answer: Answer, quota: ServerQuota | null): Answer {
    const isSuccess = answer.status >= 200 && answer.status < 300
    if (!isSuccess || !quota || !this.options.rateLimitHeaders) return answer
    const headers = {
      ...answer.headers,
      'x-ratelimit-limit': String(quota.limit),
      'x-ratelimit-remaining': String(quota.remaining),
      'x-ratelimit-reset': String(Math.ceil(quota.resetAtMs / 1000)),
    }
    return { ...answer, headers }
  }

  /** Since the start. The wall clock may be set while we run, and the windows must not notice. */
  private nowMs(): number {
    return this.options.clock.monotonicMs() - this.startedAtMs
  }
}

/** With the query, which some paths are all about. */
function pathOf(request: Request): string {
  return request.url.slice(request.url.indexOf('/', request.url.indexOf('//') + 2))
}
