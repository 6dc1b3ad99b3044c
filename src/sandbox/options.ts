import type { RateWindow } from '../settings/limits.js'
import { type Clock, systemClock } from '../system/clock.js'
import type { WindowKind } from './windows.js'

/** The key that the sandbox takes unless another is chosen. */
export const sandboxKey = 'sandbox-key'

export interface AdaSettings {
  /** What must follow `Bearer`. */
  key: string
  clock: Clock
  /** The windows for conversations and for handing over end users. */
  limits: readonly RateWindow[] | 'none'
  /** The windows of Data Export. */
  exportLimits: readonly RateWindow[] | 'none'
  /** The windows of everything else, such as asking for a deletion job. */
  otherLimits: readonly RateWindow[] | 'none'
  windowKind: WindowKind
  /** Whether a 429 says when to come back. */
  retryAfter: boolean
  /** How long a call takes, drawn between the two. A part of it passes before the API sees the call, the rest after. */
  latencyMs: { min: number; max: number }
  /** Share of calls answered with a 5xx, from 0 to 1. */
  errorRate: number
  /** Share of calls whose connection is dropped, from 0 to 1. */
  dropRate: number
  /** Everything is down for a while. Counted from the first call, as a client takes some time to start. */
  outage: { afterMs: number; forMs: number } | null
  /** The same seed gives the same latencies and faults to the same calls. */
  seed: number | string
  /** How many conversations to invent for Data Export. */
  conversations: number
  /** Whether ending a conversation moves the date of its last update. What the real Ada does is not known. */
  endingUpdates: boolean
  /** Whether the instance has the Data Export add-on. Without it: 403. */
  dataExport: boolean
  /** The smallest page that may be asked for. */
  pageSizeMin: number
  /** Put before the path of the next page. A client that follows to another host gives its key away. */
  nextPageOrigin: string
  /** How long a deletion job takes. Ada speaks of up to 30 days. */
  deletionMs: number
}

export type AdaOptions = Partial<AdaSettings>

const [secondMs, minuteMs, dayMs] = [1_000, 60_000, 86_400_000]

/** The windows are those that Ada publishes. */
export const defaults: AdaSettings = {
  key: sandboxKey,
  clock: systemClock,
  limits: [
    { max: 30, perMs: secondMs },
    { max: 300, perMs: minuteMs },
  ],
  exportLimits: [
    { max: 10, perMs: secondMs },
    { max: 100, perMs: minuteMs },
    { max: 15_000, perMs: dayMs },
  ],
  otherLimits: [
    { max: 10, perMs: secondMs },
    { max: 100, perMs: minuteMs },
    { max: 10_000, perMs: dayMs },
  ],
  windowKind: 'sliding',
  retryAfter: true,
  latencyMs: { min: 0, max: 0 },
  errorRate: 0,
  dropRate: 0,
  outage: null,
  seed: 1,
  conversations: 0,
  endingUpdates: true,
  dataExport: true,
  pageSizeMin: 100,
  nextPageOrigin: '',
  deletionMs: 3_000,
}
