import { type HttpHandler, http } from 'msw'
import type { RateWindow } from '../settings/limits.js'
import { systemClock } from '../system/clock.js'
import { notFound } from './answers.js'
import { conversationHandlers } from './conversation-handlers.js'
import { Conversations, type ConversationsOptions } from './conversations.js'
import { deletionHandlers } from './deletion-handlers.js'
import { Deletions, type DeletionsOptions } from './deletions.js'
import { type Before, Door, type DoorOptions } from './door.js'
import { type ExportOptions, exportHandlers } from './export-handlers.js'
import { inventedConversations } from './invented-conversations.js'
import { sandboxKey } from './key.js'
import { RateWindows, type WindowKind } from './rate-windows.js'
import { SandboxState } from './state.js'

export interface AdaOptions
  extends Partial<DoorOptions>,
    Partial<ConversationsOptions>,
    Partial<DeletionsOptions>,
    Partial<ExportOptions> {
  /** How many to invent for the export. Default 0. */
  conversations?: number
  /** Default: 30 a second and 300 a minute, as Ada has for conversations. */
  limits?: readonly RateWindow[] | 'none'
  /** Default: 10 a second, 100 a minute and 15,000 a day, as Ada has for its Data Export. */
  exportLimits?: readonly RateWindow[] | 'none'
  /** For what has no limits of its own, such as deletion jobs. Default: 10 a second, 100 a minute and 10,000 a day. */
  otherLimits?: readonly RateWindow[] | 'none'
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
  const settings = { ...defaults, ...options }
  const conversations = new Conversations(settings)
  const nowMs = settings.clock.wallMs()
  for (const invented of inventedConversations(settings.conversations, nowMs, settings.seed)) {
    conversations.add(invented)
  }
  const deletions = new Deletions(settings)
  const state = new SandboxState(conversations, deletions, settings.keepCalls)
  const door = new Door(settings, state)
  const windows = (limits: readonly RateWindow[] | 'none') =>
    new RateWindows(limits === 'none' ? [] : limits, settings.windowKind)
  const before = door.entrance(windows(settings.limits))
  const beforeExport = counted(door.entrance(windows(settings.exportLimits)), state)
  const beforeDeletion = door.entrance(windows(settings.limits))
  const beforeOther = door.entrance(windows(settings.otherLimits))
  return {
    // One list per area of the API. What none of them knows is not found.
    handlers: [
      ...conversationHandlers(before, conversations),
      ...exportHandlers(beforeExport, conversations.listed, settings),
      ...deletionHandlers(beforeDeletion, beforeOther, deletions),
      http.all(
        /.*/,
        before(() => notFound('There is no such path')),
      ),
    ],
    state,
  }
}

function counted(before: Before, state: SandboxState): Before {
  return (act) => {
    const resolve = before(act)
    return (call) => {
      state.exportCalls += 1
      return resolve(call)
    }
  }
}

const defaults: Required<AdaOptions> = {
  key: sandboxKey,
  latencyMs: { min: 0, max: 0 },
  errorRate: 0,
  dropRate: 0,
  outage: null,
  seed: 1,
  retryAfter: true,
  rateLimitHeaders: true,
  clock: systemClock,
  limits: [
    { max: 30, perMs: 1_000 },
    { max: 300, perMs: 60_000 },
  ],
  windowKind: 'sliding',
  keepCalls: false,
  conversations: 0,
  onlyListed: false,
  endingUpdates: true,
  dataExport: true,
  exportLimits: [
    { max: 10, perMs: 1_000 },
    { max: 100, perMs: 60_000 },
    { max: 15_000, perMs: 86_400_000 },
  ],
  otherLimits: [
    { max: 10, perMs: 1_000 },
    { max: 100, perMs: 60_000 },
    { max: 10_000, perMs: 86_400_000 },
  ],
  deletionMs: 3_000,
  pageSizeMin: 100,
  nextPageUri: 'relative',
  repeatAtPageEdge: true,
  envelope: 'data',
}
