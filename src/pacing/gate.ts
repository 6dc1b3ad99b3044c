import type { Quota } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { FailureRow } from './failure-row.js'

/**
 * One gate for all calls of this process to the instance. It closes when the API asks for silence (429, no calls
 * remaining) or fails for everybody; afterwards one call goes first as a probe, and the others wait for its answer.
 */
export interface Gate {
  /** Resolves when a call may be let pass. Rejects when the signal is aborted, or with `ApiDownError` for good. */
  wait(signal: AbortSignal): Promise<void>
  /** Lets one call leave now, or says null when the gate is closed. */
  pass(): Permit | null
  /** What came of the call. */
  report(permit: Permit, result: CallResult): void
  /** The call came to nothing that could be judged, it was aborted for example. */
  forget(permit: Permit): void
  state(): GateState
}

/** The right to send one call now. */
export interface Permit {
  /** The API is known to be down and this call asks whether it is back: a failure does not count against the item. */
  readonly isProbe: boolean
  /** How often the gate had closed when the call left: what it says about an earlier closing is old news. */
  readonly closings: number
}

export interface CallResult {
  kind: 'ok' | 'rate_limited' | 'failure'
  quota: Quota
  itemKey: number | string
  message: string
}

export type ClosedReason = 'rate_limited' | 'quota' | 'outage'
export type GateState =
  | { waitingFor: 'nothing'; untilMs: null }
  /** `untilMs` is monotonic; it may have passed while a probe is under way. */
  | { waitingFor: ClosedReason; untilMs: number }

export interface GateOptions {
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  /** No reset is believed to be further away than the longest window. */
  longestWindowMs: number
  /** Nothing but failures for this long, and the gate gives up. */
  outageMaxMs?: number
}

/** The API failed for everybody, for too long. */
export class ApiDownError extends Error {
  override readonly name = 'ApiDownError'
}

export function openGate(options: GateOptions): Gate {
  const { clock, random, longestWindowMs, outageMaxMs = 5 * 60_000 } = options
  const failures = new FailureRow()
  let closed: { reason: ClosedReason; untilMs: number } | null = null
  let closings = 0
  let rateLimitedInRow = 0
  let outagePauses = 0
  let isDown = false
  let probe: Permit | null = null
  let gaveUp: ApiDownError | null = null
  /** They look again after every change. */
  const waiters = new Set<() => void>()

  function change(): void {
    for (const wake of waiters) wake()
  }

  function close(reason: ClosedReason, ms: number): void {
    const untilMs = clock.monotonicMs() + ms
    // A quota is weaker news than a 429 or an outage: it only lengthens what is there.
    const isWeaker = reason === 'quota' && closed !== null
    closed = { reason: isWeaker ? closed!.reason : reason, untilMs: Math.max(untilMs, closed?.untilMs ?? 0) }
  }

  function open(): void {
    closed = null
    rateLimitedInRow = 0
    outagePauses = 0
    isDown = false
    failures.clear()
  }

  function rateLimited(permit: Permit, { retryAfterMs }: Quota): void {
    failures.clear()
    isDown = false
    // Calls that left before the gate closed belong to the burst that closed it.
    const isNews = permit.closings === closings
    if (!isNews && retryAfterMs === null) return
    if (isNews) {
      closings++
      rateLimitedInRow++
    }
    const backoffMs = random() * doubled(1000, rateLimitedInRow, 60_000)
    close('rate_limited', retryAfterMs === null ? backoffMs : clamp(retryAfterMs, longestRetryAfterMs))
  }

  function failed(permit: Permit, result: CallResult, wasProbe: boolean): void {
    failures.add(result.itemKey, clock.monotonicMs())
    if (!wasProbe && (!failures.isForEverybody || permit.closings !== closings)) return
    if (failures.lastedMs >= outageMaxMs) {
      const lasted = inWords(failures.lastedMs)
      gaveUp = new ApiDownError(`The API has failed every call for ${lasted}. Last: ${result.message}`)
      return
    }
    if (failures.isForEverybody) isDown = true
    closings++
    outagePauses++
    close('outage', doubled(1000, outagePauses, 30_000))
  }

  return {
    async wait(signal) {
      for (;;) {
        signal.throwIfAborted()
        if (gaveUp) throw gaveUp
        if (!closed) return
        const leftMs = closed.untilMs - clock.monotonicMs()
        if (leftMs <= 0 && !probe) return
        // A probe under way ends in a change.
        await sleepOrChange(clock, leftMs > 0 ? leftMs : null, waiters, signal)
      }
    },
    pass() {
      if (gaveUp || (closed && closed.untilMs > clock.monotonicMs())) return null
      if (!closed || closed.reason === 'quota') {
        closed = null
        return { isProbe: false, closings }
      }
      if (probe) return null
      probe = { isProbe: isDown, closings }
      return probe
    },
    report(permit, result) {
      const wasProbe = permit === probe
      if (wasProbe) probe = null
      if (result.kind === 'rate_limited') rateLimited(permit, result.quota)
      else if (result.kind === 'failure') failed(permit, result, wasProbe)
      else if (wasProbe) open()
      else {
        failures.clear()
        if (!closed) rateLimitedInRow = 0
      }
      if (result.quota.remaining === 0 && result.quota.resetInMs !== null) {
        close('quota', clamp(result.quota.resetInMs, longestWindowMs))
      }
      change()
    },
    forget(permit) {
      if (permit === probe) probe = null
      change()
    },
    state: () =>
      closed && (probe || closed.untilMs > clock.monotonicMs())
        ? { waitingFor: closed.reason, untilMs: closed.untilMs }
        : { waitingFor: 'nothing', untilMs: null },
  }
}

const longestRetryAfterMs = 86_400_000

const inWords = (ms: number) =>
  ms < 120_000 ? `${Math.round(ms / 1000)} seconds` : `${Math.round(ms / 60_000)} minutes`

const clamp = (ms: number, maxMs: number) => Math.min(Math.max(ms, 0), maxMs)

/** `firstMs`, doubled with every further time. */
const doubled = (firstMs: number, times: number, maxMs: number) => Math.min(maxMs, firstMs * 2 ** (times - 1))

async function sleepOrChange(clock: Clock, ms: number | null, waiters: Set<() => void>, signal: AbortSignal) {
  const awake = new AbortController()
  const wake = () => awake.abort()
  waiters.add(wake)
  signal.addEventListener('abort', wake, { once: true })
  try {
    if (ms !== null) await clock.sleep(ms, awake.signal)
    else await new Promise((resolve) => awake.signal.addEventListener('abort', resolve, { once: true }))
  } catch (error) {
    if (!awake.signal.aborted) throw error
  } finally {
    waiters.delete(wake)
    signal.removeEventListener('abort', wake)
  }
}
