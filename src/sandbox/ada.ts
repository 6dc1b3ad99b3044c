import { type HttpHandler, http } from 'msw'
import { Conversations, conversationHandlers } from './conversations.js'
import { Deletions, deletionHandlers } from './deletions.js'
import { exportHandlers } from './export.js'
import { type CallObserver, middleware, notFound } from './middleware.js'
import { type AdaOptions, defaults } from './options.js'
import { inventedConversations } from './population.js'

export interface Ada {
  /** For msw: behind the sandbox's HTTP server, or given to `setupServer` in a test. */
  handlers: HttpHandler[]
  conversations: Conversations
  deletions: Deletions
}

/** An Ada without a network. */
export function createAda(options: AdaOptions = {}, observer: CallObserver | null = null): Ada {
  const settings = { ...defaults, ...options }
  const conversations = new Conversations(settings.endingUpdates)
  const nowMs = settings.clock.wallMs()
  for (const invented of inventedConversations(settings.conversations, nowMs, settings.seed))
    conversations.add(invented)
  const deletions = new Deletions(settings.deletionMs)
  const guardWith = middleware(settings, observer)
  const guard = guardWith(settings.limits)
  const handlers = [
    ...conversationHandlers(guard, conversations),
    ...exportHandlers(guardWith(settings.exportLimits), conversations.listed, settings),
    ...deletionHandlers(guardWith(settings.limits), guardWith(settings.otherLimits), deletions),
    http.all(
      /.*/,
      guard(() => notFound('There is no such path')),
    ),
  ]
  return { handlers, conversations, deletions }
}
