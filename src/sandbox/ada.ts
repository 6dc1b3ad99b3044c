import { type HttpHandler, http } from 'msw'
import { systemClock } from '../clock.js'
import type { RateWindow } from '../pacing/rate-window.js'
import { notFound } from './answers.js'
import { conversationHandlers } from './conversation-handlers.js'
import { Conversations } from './conversations.js'
import { Door, type DoorOptions } from './door.js'
import { sandboxKey } from './key.js'
import { RateWindows, type WindowKind } from './rate-windows.js'
import { SandboxState } from './state.js'

export interface AdaOptions extends Partial<DoorOptions> {
  /** Default: 30 a second and 300 a minute, as Ada has for conversations. */
  limits?: readonly RateWindow[] | 'none'
  /** Default: sliding. */
  windowKind?: WindowKind
  /** Remember each call in `state.calls`. Off by default: a million calls take memory. */
  keepCalls?: boolean
}

export interface Ada {
  /** For msw: behind the sandbox's HTTP server, or given to `setupServer` in a test. */
  handlers: HttpHandler[]
  state: SandboxState
}

/** An Ada without a network. */
export function createAda(options: AdaOptions = {}): Ada {
  const limits = options.limits ?? [
    { max: 30, perMs: 1_000 },
    { max: 300, perMs: 60_000 },
  ]
  const conversations = new Conversations()
  const state = new SandboxState(conversations, options.keepCalls ?? false)
  const windows = new RateWindows(limits === 'none' ? [] : limits, options.windowKind ?? 'sliding')
  const door = new Door({ ...defaults, ...options }, windows, state)
  const unknownPath = door.before(() => notFound('There is no such path'))
  return {
    // One list per area of the API. What none of them knows is not found.
    handlers: [...conversationHandlers(door, conversations), http.all(/.*/, unknownPath)],
    state,
  }
}

const defaults: DoorOptions = {
  key: sandboxKey,
  latencyMs: { min: 0, max: 0 },
  errorRate: 0,
  dropRate: 0,
  outage: null,
  seed: 1,
  retryAfter: true,
  rateLimitHeaders: true,
  clock: systemClock,
}
