import type { Quota } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { inTime } from '../system/text.js'

/** All that pacing has to know of a call's answer. */
export interface CallResult {
  kind: 'ok' | 'rate_limited' | 'failure'
  /** What the answer said about the rate limits. */
  quota: Quota
  /** Why it failed, for people. */
  message: string
  /** A call that any working API answers: its failure is an outage, whatever the number of items. */
  isHarmless?: boolean
}

/** The right to send one call now. */
export interface Pass {
  /** The API is known to be down and this call asks whether it is back: a failure does not count against the item. */
  readonly isProbe: boolean
  /** How often the breaker had opened when the call left. What an answer says about an earlier time is outdated. */
  readonly openings: number
}

export type OpenReason = 'rate_limited' | 'quota' | 'outage'

export interface Open {
  kind: OpenReason
  /** Monotonic. */
  untilMs: number
}
export interface BreakerOptions {
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  /** A reset further away than the longest window is not believed. */
  longestWindowMs: number
  /** The breaker gives up after nothing but failures for this long (5 minutes). */
  outageMaxMs?: number | undefined
}

/** Every call to the API failed, for too long. */
export class ApiDownError extends Error {
  override readonly name = 'ApiDownError'
}

/**
 * One circuit breaker for all calls of this process to the instance. It opens, so that no call passes, when the API
 * asks for silence (429, no calls remaining) or fails for every item. Afterwards one call goes first as a probe, and
 * the others wait for its answer.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions
  readonly #failures = new FailureStreak()
  #open: Open | null = null
  #openings = 0
  #rateLimitedInRow = 0
  #outagePauses = 0
  #isDown = false
  #probe: Pass | null = null
  #gaveUp: ApiDownError | null = null

  constructor(options: BreakerOptions) {
    this.#options = options
  }

  /** Why no call passes and until when; null while calls pass. The time is over while a probe is in flight. */
  get open(): Open | null {
    const open = this.#open
    return open && (this.#probe || open.untilMs > this.#options.clock.monotonicMs()) ? open : null
  }

  throwIfGivenUp(): void {
    if (this.#gaveUp) throw this.#gaveUp
  }

  /** Lets one call leave now; null while the breaker is open. */
  pass(): Pass | null {
    if (this.#gaveUp || this.open) return null
    if (!this.#open || this.#open.kind === 'quota') {
      this.#open = null
      return { isProbe: false, openings: this.#openings }
    }
    this.#probe = { isProbe: this.#isDown, openings: this.#openings }
    return this.#probe
  }

  /** Records how the call ended. */
  report(pass: Pass, result: CallResult, itemKey: number | string): void {
    const wasProbe = pass === this.#probe
    if (wasProbe) this.#probe = null
    if (result.kind === 'rate_limited') this.#rateLimited(pass, result.quota)
    else if (result.kind === 'failure') this.#failed(pass, result, itemKey, wasProbe)
    else this.#succeeded(wasProbe)
    const { remaining, resetInMs } = result.quota
    if (remaining === 0 && resetInMs !== null)
      this.#openFor('quota', clamp(resetInMs, this.#options.longestWindowMs))
  }

  /** The call ended without a result, for example because it was aborted. */
  forget(pass: Pass): void {
    if (pass === this.#probe) this.#probe = null
  }

  #openFor(kind: OpenReason, ms: number): void {
    const untilMs = this.#options.clock.monotonicMs() + ms
    // A used-up quota is weaker than a 429 or an outage: it lengthens the wait and keeps the kind.
    const kept = kind === 'quota' ? this.#open?.kind : undefined
    this.#open = { kind: kept ?? kind, untilMs: Math.max(untilMs, this.#open?.untilMs ?? 0) }
  }

  #succeeded(wasProbe: boolean): void {
    this.#failures.clear()
    if (wasProbe) {
      this.#open = null
      this.#outagePauses = 0
      this.#isDown = false
    }
    if (!this.#open) this.#rateLimitedInRow = 0
  }

  #rateLimited(pass: Pass, { retryAfterMs }: Quota): void {
    this.#failures.clear()
    this.#isDown = false
    // Calls that left before the breaker opened belong to the burst that opened it.
    const isNew = pass.openings === this.#openings
    if (!isNew && retryAfterMs === null) return
    if (isNew) {
      this.#openings++
      this.#rateLimitedInRow++
    }
    const backoffMs = this.#options.random() * doubled(1000, this.#rateLimitedInRow, 60_000)
    this.#openFor(
      'rate_limited',
      retryAfterMs === null ? backoffMs : clamp(retryAfterMs, longestRetryAfterMs),
    )
  }

  #failed(pass: Pass, result: CallResult, itemKey: number | string, wasProbe: boolean): void {
    const failures = this.#failures
    failures.add(itemKey, this.#options.clock.monotonicMs())
    const { retryAfterMs } = result.quota
    const isGeneral = failures.isGeneral || result.isHarmless === true || retryAfterMs !== null
    if (!wasProbe && (!isGeneral || pass.openings !== this.#openings)) return
    if (failures.lastedMs >= (this.#options.outageMaxMs ?? 5 * 60_000)) {
      const lasted = inTime(failures.lastedMs)
      this.#gaveUp = new ApiDownError(`The API has failed every call for ${lasted}. Last: ${result.message}`)
      return
    }
    if (isGeneral) this.#isDown = true
    this.#openings++
    this.#outagePauses++
    const pauseMs = doubled(1000, this.#outagePauses, 30_000)
    this.#openFor('outage', Math.max(pauseMs, clamp(retryAfterMs ?? 0, longestRetryAfterMs)))
  }
}

/** The API counts as down when this many different items in a row fail: a few bad items must not do it. */
const itemsMin = 20

/** Between two failures no more counts than this: when nothing was called for hours, the API did not fail for hours. */
const gapMsMax = 120_000

/** The failures since the last call that the API answered. */
class FailureStreak {
  readonly #items = new Set<number | string>()
  #lastMs: number | null = null
  /** From the first failure to the last. */
  lastedMs = 0

  add(itemKey: number | string, nowMs: number): void {
    this.lastedMs += Math.min(gapMsMax, nowMs - (this.#lastMs ?? nowMs))
    this.#lastMs = nowMs
    if (this.#items.size < itemsMin) this.#items.add(itemKey)
  }

  /** The failures are not those of a few items. */
  get isGeneral(): boolean {
    return this.#items.size >= itemsMin
  }

  clear(): void {
    if (this.#lastMs === null) return
    this.#items.clear()
    this.#lastMs = null
    this.lastedMs = 0
  }
}

/** A longer `Retry-After` is not believed. */
const longestRetryAfterMs = 24 * 3_600_000

const clamp = (ms: number, max: number) => Math.min(max, Math.max(0, ms))

const doubled = (firstMs: number, times: number, maxMs: number) => Math.min(maxMs, firstMs * 2 ** (times - 1))
