import limitConcurrency from 'p-limit'
import { type Hours, msUntilOpen } from '../settings/hours.js'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { Allowance, type PaceSettings } from './allowance.js'
import { type CallResult, CircuitBreaker, type OpenReason, type Pass } from './breaker.js'
import type { Ledger, Taken } from './ledger.js'

/** What may be changed while calls are made. */
export interface Pace extends Pick<PaceSettings, 'caps' | 'share'> {
  isPaused: boolean
}

/** Without limits and caps calls bypass the ledger. */
export interface AdmissionOptions extends PaceSettings {
  /** Starts paused. */
  isPaused?: boolean
  ledger: Ledger
  /** The longest that a call may last, its timeout and a margin. */
  holdMs: number
  hours?: Hours
  /** Nothing but failures for this long, and every call is rejected. */
  outageMaxMs?: number
  clock: Clock
  /** From 0 to 1. */
  random: () => number
}

/** What all calls wait for; `untilMs` is monotonic. A window is as large as we allow ourselves now. */
export type Waiting =
  | { kind: 'nothing' }
  | { kind: 'window' | 'giving_way'; window: RateWindow }
  | { kind: OpenReason | 'hours' | 'ledger'; untilMs: number }
  | { kind: 'paused' }

/** The right to make one call now. */
export interface Permit {
  pass: Pass
  /** Null without windows. */
  taken: TakenSlot | null
}

type TakenSlot = Extract<Taken, { taken: number }>

/** Another process may release a slot, so an old answer is not trusted for long. */
const askAgainMs = 1000
/** The wall clock may be set during a wait for the hours. Whatever else ends a wait wakes the call. */
const lookAgainMs = 60_000

/** Everything that a call waits for before it leaves: no pause, a closed breaker, the hours, a slot in every window. */
export class Admission {
  readonly #options: AdmissionOptions
  readonly #breaker: CircuitBreaker
  readonly #timeSpent: TimeSpent
  /** One call at a time looks for a permit: the breaker, asked last, judges the call that leaves next. */
  readonly #mutex = limitConcurrency(1)
  readonly #allowance: Allowance
  #pace: Pace
  #waiting: Waiting = { kind: 'nothing' }
  /** Makes the call that waits look again. */
  #wake = () => {}
  #latestTaken = 0
  #isClosed = false

  constructor(options: AdmissionOptions) {
    const { limits, caps, share, isPaused = false, clock, random, outageMaxMs } = options
    const longestWindowMs = limits === 'none' ? 60_000 : Math.max(0, ...limits.map(({ perMs }) => perMs))
    this.#options = options
    this.#breaker = new CircuitBreaker({ clock, random, longestWindowMs, outageMaxMs })
    this.#timeSpent = new TimeSpent(clock)
    this.#pace = { caps, share, isPaused }
    this.#allowance = new Allowance(limits === 'none' ? [] : limits, share, clock)
  }

  get pace(): Pace {
    return this.#pace
  }

  set pace(pace: Pace) {
    this.#allowance.share = pace.share
    this.#pace = pace
    this.#wake()
  }

  get waiting(): Waiting {
    return this.#waiting.kind === 'nothing' ? (this.#breaker.open ?? this.#waiting) : this.#waiting
  }

  /** Milliseconds by what took them, since the last time that this was called. */
  takeTimeSpent(): Record<string, number> {
    return this.#timeSpent.take()
  }

  /** Resolves when a call may leave. Rejects when the signal is aborted, and with `ApiDownError`. */
  async admit(signal: AbortSignal): Promise<Permit> {
    return this.#admitAtOnce() ?? this.#mutex(() => this.#admitNext(signal))
  }

  /** Learns from the answer to a call that was admitted. Gives how long the API wants no calls after a 429. */
  answered({ pass, taken }: Permit, result: CallResult, itemKey: number | string): number {
    this.#breaker.report(pass, { ...result, quota: this.#allowance.withinShare(result.quota) }, itemKey)
    if (taken) {
      const takenSince = Math.max(0, this.#latestTaken - taken.taken)
      const ours = taken.onRecord.map((calls) => calls + takenSince)
      this.#allowance.answered(result.quota, ours)
    }
    this.#wakeFromBreaker()
    if (result.kind !== 'rate_limited') return 0
    this.#allowance.rateLimited()
    const { open } = this.#breaker
    return open?.kind === 'rate_limited' ? Math.max(0, open.untilMs - this.#options.clock.monotonicMs()) : 0
  }

  /** A call that was admitted ended without an answer. */
  forget({ pass }: Permit): void {
    this.#breaker.forget(pass)
    this.#wakeFromBreaker()
  }

  /** Rejects the calls that wait. */
  close(): void {
    this.#isClosed = true
    this.#wake()
  }

  /** When there is nothing to wait for, the mutex would only cost time. */
  #admitAtOnce(): Permit | null {
    const isBusy = this.#mutex.activeCount > 0
    if (isBusy || !this.#isUnlimited || this.#pace.isPaused || this.#options.hours || this.#isClosed)
      return null
    const pass = this.#breaker.pass()
    return pass && { pass, taken: null }
  }

  async #admitNext(signal: AbortSignal): Promise<Permit> {
    try {
      for (;;) {
        this.#throwIfOver(signal)
        const obstacle = this.#obstacle()
        if (obstacle) {
          await this.#wait(...obstacle, signal)
          continue
        }
        this.#waitFor({ kind: 'nothing' })
        const taken = this.#isUnlimited ? null : await this.#takeSlot(signal)
        if (taken === 'full') continue
        const isCallable = !signal.aborted && !this.#isClosed && !this.#pace.isPaused
        const pass = isCallable ? this.#breaker.pass() : null
        if (pass) return { pass, taken }
        await taken?.slot.release()
      }
    } finally {
      this.#waitFor({ kind: 'nothing' })
    }
  }

  /** What keeps calls from leaving, the windows apart. */
  #obstacle(): [Waiting, lookAgainInMs: number] | null {
    const { hours, clock } = this.#options
    if (this.#pace.isPaused) return [{ kind: 'paused' }, lookAgainMs]
    this.#breaker.throwIfGivenUp()
    const nowMs = clock.monotonicMs()
    const { open } = this.#breaker
    if (open) return [open, open.untilMs > nowMs ? open.untilMs - nowMs : lookAgainMs]
    const ms = hours ? msUntilOpen(hours, new Date(clock.wallMs())) : 0
    if (ms === 0) return null
    return [{ kind: 'hours', untilMs: nowMs + ms }, Math.min(ms, lookAgainMs)]
  }

  /** `full` when there was none, after a wait in which anything may have changed. */
  async #takeSlot(signal: AbortSignal): Promise<TakenSlot | 'full'> {
    const { ledger, holdMs, clock } = this.#options
    const { caps } = this.#pace
    const taken = await ledger.take([...this.#allowance.windows(), ...caps], holdMs)
    if (taken.slot) {
      this.#latestTaken = Math.max(this.#latestTaken, taken.taken)
      return taken
    }
    const { fullWindow, waitMs, isLedgerInDoubt } = taken
    const waiting: Waiting = fullWindow
      ? { kind: this.#isYielding(fullWindow) ? 'giving_way' : 'window', window: fullWindow }
      : { kind: isLedgerInDoubt ? 'ledger' : 'rate_limited', untilMs: clock.monotonicMs() + waitMs }
    await this.#wait(waiting, Math.min(waitMs, askAgainMs), signal)
    return 'full'
  }

  get #isUnlimited(): boolean {
    return this.#options.limits === 'none' && this.#pace.caps.length === 0
  }

  #isYielding(window: RateWindow): boolean {
    return !isAmong(this.#pace.caps, window) && this.#allowance.isYielding(window)
  }

  /** Ends early when something wakes it. */
  async #wait(waiting: Waiting, ms: number, signal: AbortSignal): Promise<void> {
    this.#throwIfOver(signal)
    this.#waitFor(waiting)
    const awake = new AbortController()
    const wake = () => awake.abort()
    this.#wake = wake
    signal.addEventListener('abort', wake, { once: true })
    try {
      await this.#options.clock.sleep(ms, awake.signal)
    } catch (error) {
      if (!awake.signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #throwIfOver(signal: AbortSignal): void {
    signal.throwIfAborted()
    if (this.#isClosed) throw new Error('The limiter was closed')
  }

  #wakeFromBreaker(): void {
    const { kind } = this.#waiting
    if (kind === 'rate_limited' || kind === 'quota' || kind === 'outage') this.#wake()
  }

  #waitFor(waiting: Waiting): void {
    this.#waiting = waiting
    this.#timeSpent.on(this.#nameOf(waiting))
  }

  /** The name in `waited` lines of the checkpoint: a window as the API has it, or as the cap is. */
  #nameOf(waiting: Waiting): string {
    if (waiting.kind === 'nothing') return 'calling'
    if (waiting.kind !== 'window') return waiting.kind
    const { limits } = this.#options
    const { max, perMs } = waiting.window
    const isCap = limits === 'none' || isAmong(this.#pace.caps, waiting.window)
    const ofApi = isCap ? undefined : limits.find((window) => window.perMs === perMs)
    return `window ${ofApi?.max ?? max}/${perMs}`
  }
}

const isAmong = (windows: readonly RateWindow[], { max, perMs }: RateWindow) =>
  windows.some((window) => window.max === max && window.perMs === perMs)

/** Where the time goes: at every moment all calls wait for one thing, or calls are made. */
class TimeSpent {
  readonly #clock: Clock
  #ms: Record<string, number> = {}
  #now = 'calling'
  #sinceMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  on(what: string): void {
    const nowMs = this.#clock.monotonicMs()
    this.#ms[this.#now] = (this.#ms[this.#now] ?? 0) + nowMs - this.#sinceMs
    this.#now = what
    this.#sinceMs = nowMs
  }

  take(): Record<string, number> {
    this.on(this.#now)
    const rounded = Object.entries(this.#ms).map(([what, ms]) => [what, Math.round(ms)] as const)
    this.#ms = {}
    return Object.fromEntries(rounded.filter(([, ms]) => ms > 0))
  }
}
