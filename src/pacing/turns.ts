import { type Hours, msUntilOpen } from '../settings/hours.js'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { Allowance } from './allowance.js'
import type { OwnCalls } from './foreign-traffic.js'
import type { Gate, Permit } from './gate.js'
import type { Ledger, Taken } from './ledger.js'
import { TimeSpent } from './time-spent.js'
import { nameOf, type Waiting } from './waiting.js'

/** What may be changed while calls go on. */
export interface Pace {
  /** The API's own windows; `none` goes past the ledger. */
  windows: readonly RateWindow[] | 'none'
  /** The part of each window to use, from 0 to 1. */
  share: number
  isPaused: boolean
}

/** The right to make one call now. */
export interface Turn {
  permit: Permit
  /** Null without windows. */
  taken: TakenPlace | null
}

type TakenPlace = Extract<Taken, { taken: number }>

export interface TurnsOptions {
  ledger: Ledger
  gate: Gate
  pace: Pace
  /** The longest that a call may last, its time-out and a margin. */
  holdMs: number
  hours?: Hours | undefined
  clock: Clock
}

/** Everything that a call waits for before it leaves: no pause, an open gate, the hours, a place in every window. */
export class Turns {
  readonly #options: TurnsOptions
  readonly #spent: TimeSpent
  #pace: Pace
  #allowance: Allowance
  #waiting: Waiting = { kind: 'nothing' }
  /** Wakes who waits, to look again. */
  #wake = () => {}
  #latestTaken = 0

  constructor(options: TurnsOptions) {
    this.#options = options
    this.#pace = options.pace
    this.#allowance = allowanceOf(options.pace, options.clock)
    this.#spent = new TimeSpent(options.clock)
  }

  get allowance(): Allowance {
    return this.#allowance
  }

  get pace(): Pace {
    return this.#pace
  }

  set pace(pace: Pace) {
    if (pace.windows !== this.#pace.windows) this.#allowance = allowanceOf(pace, this.#options.clock)
    this.#allowance.share = pace.share
    this.#pace = pace
    this.#wake()
  }

  get waiting(): Waiting {
    if (this.#waiting.kind !== 'nothing') return this.#waiting
    const { waitingFor, untilMs } = this.#options.gate.state()
    return waitingFor === 'nothing' ? this.#waiting : { kind: waitingFor, untilMs }
  }

  /** Where the time went since the last time that this was asked. */
  takeTimeSpent(): Record<string, number> {
    return this.#spent.take()
  }

  /** How many calls of ours the API may have counted when it answered this one. */
  ownCalls({ onRecord, taken }: TakenPlace): OwnCalls {
    return { onRecord, takenSince: Math.max(0, this.#latestTaken - taken) }
  }

  /** The next turn. Only one may ask at a time: the gate, asked last, speaks of the call that leaves next. */
  async next(signal: AbortSignal): Promise<Turn> {
    const { gate } = this.#options
    try {
      for (;;) {
        await this.#waitWhilePaused(signal)
        await this.#waitForGate(signal)
        await this.#waitForHours(signal)
        const { windows } = this.#pace
        const taken = windows === 'none' ? null : await this.#takePlace(signal)
        if (taken === null && windows !== 'none') continue
        const isCallable = !signal.aborted && !this.#pace.isPaused
        const permit = isCallable ? gate.pass() : null
        if (permit) return { permit, taken }
        await taken?.place.release()
        signal.throwIfAborted()
      }
    } finally {
      this.#be({ kind: 'nothing' })
    }
  }

  /** When nothing has to be waited for, taking turns would only cost time. */
  atOnce(): Turn | null {
    const { windows, isPaused } = this.#pace
    if (windows !== 'none' || isPaused || this.#options.hours) return null
    const permit = this.#options.gate.pass()
    return permit && { permit, taken: null }
  }

  async #waitWhilePaused(signal: AbortSignal): Promise<void> {
    while (this.#pace.isPaused) await this.#wait({ kind: 'paused' }, askAgainPausedMs, signal)
  }

  async #waitForGate(signal: AbortSignal): Promise<void> {
    const { waitingFor } = this.#options.gate.state()
    if (waitingFor !== 'nothing') this.#spent.on(waitingFor)
    await this.#options.gate.wait(signal)
    this.#be({ kind: 'nothing' })
  }

  async #waitForHours(signal: AbortSignal): Promise<void> {
    const { hours, clock } = this.#options
    for (;;) {
      const ms = hours ? msUntilOpen(hours, new Date(clock.wallMs())) : 0
      if (ms === 0 || this.#pace.isPaused) return
      const untilMs = clock.monotonicMs() + ms
      await this.#wait({ kind: 'hours', untilMs }, Math.min(ms, askAgainHoursMs), signal)
    }
  }

  /** Null when there is none yet; then some time has passed, and anything else may have changed. */
  async #takePlace(signal: AbortSignal): Promise<TakenPlace | null> {
    const { ledger, holdMs, clock } = this.#options
    const taken = await ledger.take(this.#allowance.windows(), holdMs)
    if (taken.place) {
      this.#latestTaken = Math.max(this.#latestTaken, taken.taken)
      return taken
    }
    const { fullWindow, waitMs, isLedgerInDoubt } = taken
    await this.#wait(
      fullWindow
        ? { kind: this.#allowance.isGivingWay(fullWindow) ? 'giving_way' : 'window', window: fullWindow }
        : { kind: isLedgerInDoubt ? 'ledger' : 'rate_limited', untilMs: clock.monotonicMs() + waitMs },
      Math.min(waitMs, askAgainPlaceMs),
      signal,
    )
    return null
  }

  /** Ends early when the pace was changed. */
  async #wait(waiting: Waiting, ms: number, signal: AbortSignal): Promise<void> {
    this.#be(waiting)
    signal.throwIfAborted()
    const awake = new AbortController()
    this.#wake = () => awake.abort()
    signal.addEventListener('abort', this.#wake, { once: true })
    try {
      await this.#options.clock.sleep(ms, awake.signal)
    } catch (error) {
      signal.throwIfAborted()
      if (!awake.signal.aborted) throw error
    } finally {
      signal.removeEventListener('abort', this.#wake)
    }
  }

  #be(waiting: Waiting): void {
    this.#waiting = waiting
    this.#spent.on(nameOf(waiting, this.#pace.windows))
  }
}

const allowanceOf = ({ windows, share }: Pace, clock: Clock) =>
  new Allowance(windows === 'none' ? [] : windows, share, clock)

/** Another process may release a place: so nobody sleeps on an old answer for long. */
const askAgainPlaceMs = 1000

/** The wall clock may be set meanwhile. */
const askAgainHoursMs = 60_000

/** Whoever lets the run go on wakes everybody. */
const askAgainPausedMs = 60_000
