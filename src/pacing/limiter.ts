import { setMaxListeners } from 'node:events'
import type { Verdict } from '../api/verdict.js'
import type { Clock } from '../clock.js'
import { UsageError } from '../usage-error.js'
import { type CallResult, type ClosedReason, openGate, type Permit } from './gate.js'
import { type Hours, msUntilOpen } from './hours.js'
import type { Ledger, Place } from './ledger.js'
import { openQueue } from './queue.js'
import type { RateWindow } from './rate-window.js'
import { factorAt, giveWay, notGivingWay, sharedWindows } from './share.js'
import { Turnstile } from './turnstile.js'

export interface LimiterOptions {
  ledger: Ledger
  /** The API's own limits; `none` goes past Bottleneck and the ledger. */
  windows: readonly RateWindow[] | 'none'
  /** The part of each window to use, from 0 to 1. */
  share: number
  /** Calls in flight. */
  concurrency: number
  /** The longest that a call may last, its time-out and a margin. */
  holdMs: number
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  hours?: Hours
  outageMaxMs?: number
}

/** Lets calls leave when their turn has come. Keep at most about twice `concurrency` scheduled: the queue is slow. */
export interface Limiter {
  /**
   * Waits for the turn, makes the call and learns from its verdict. An abort of the signal ends the waiting at
   * once; a call that has left goes on. Rejects with `ApiDownError` when the API fails for too long.
   */
  schedule(options: ScheduleOptions, call: (permit: Permit) => Promise<Verdict>): Promise<Verdict>
  state(): LimiterState
  counts(): { sent: number; rateLimited: number }
  setShare(share: number): void
  /** Drops what waits, waits for the calls in flight. The ledger stays open. */
  close(): Promise<void>
}

export interface ScheduleOptions {
  /** Goes before all that has not been tried yet. */
  isRetry: boolean
  itemKey: number | string
  signal: AbortSignal
}

/** What all calls are waiting for; `untilMs` is monotonic. */
export type LimiterState =
  | { kind: 'nothing' }
  | { kind: 'window'; window: RateWindow }
  | { kind: ClosedReason | 'hours'; untilMs: number }

interface Ready {
  permit: Permit
  place: Place | null
}

export function openLimiter(options: LimiterOptions): Limiter {
  const { ledger, clock, windows, holdMs, hours } = options
  const longestWindowMs = windows === 'none' ? 60_000 : Math.max(0, ...windows.map(({ perMs }) => perMs))
  const gate = openGate({ ...options, longestWindowMs })
  const turnstile = new Turnstile()
  const queue = openQueue(options)
  /** Drop what has not left yet; for `close`. */
  const waiting = new Set<(reason: unknown) => void>()
  let state: LimiterState = { kind: 'nothing' }
  let share = options.share
  let givingWay = notGivingWay
  let sent = 0
  let rateLimited = 0
  let closing: Promise<void> | null = null

  async function waitFor(reason: LimiterState, ms: number, signal: AbortSignal): Promise<void> {
    state = reason
    try {
      await clock.sleep(ms, signal)
    } finally {
      state = { kind: 'nothing' }
    }
  }

  async function waitForHours(signal: AbortSignal): Promise<void> {
    for (;;) {
      const ms = hours ? msUntilOpen(hours, new Date(clock.wallMs())) : 0
      if (ms === 0) return
      const untilMs = clock.monotonicMs() + ms
      await waitFor({ kind: 'hours', untilMs }, Math.min(ms, askAgainHoursMs), signal)
    }
  }

  /** Null when there is none yet; then some time has passed, and the gate or the hours may have closed. */
  async function takePlace(windows: readonly RateWindow[], signal: AbortSignal): Promise<Place | null> {
    const allowed = sharedWindows(windows, share, factorAt(givingWay, clock.monotonicMs()))
    const taken = await ledger.take(allowed, holdMs)
    if (taken.place) return taken.place
    const { fullWindow, waitMs } = taken
    const reason: LimiterState = fullWindow
      ? { kind: 'window', window: fullWindow }
      : { kind: 'rate_limited', untilMs: clock.monotonicMs() + waitMs }
    await waitFor(reason, Math.min(waitMs, askAgainPlaceMs), signal)
    return null
  }

  /** Only one at a time is in here, so the gate, asked last, speaks of the call that leaves next. */
  async function getReady(signal: AbortSignal): Promise<Ready> {
    for (;;) {
      await gate.wait(signal)
      await waitForHours(signal)
      const place = windows === 'none' ? null : await takePlace(windows, signal)
      if (!place && windows !== 'none') continue
      const permit = signal.aborted ? null : gate.pass()
      if (permit) return { permit, place }
      await place?.release()
    }
  }

  /** When nothing has to be waited for, the turnstile would only cost time. */
  function readyAtOnce(): Ready | null {
    if (windows !== 'none' || hours || turnstile.isBusy) return null
    const permit = gate.pass()
    return permit && { permit, place: null }
  }

  function learn(permit: Permit, result: CallResult): void {
    gate.report(permit, result)
    if (result.kind !== 'rate_limited') return
    rateLimited++
    givingWay = giveWay(givingWay, clock.monotonicMs(), Math.min(longestWindowMs, 60_000))
  }

  async function send(
    itemKey: number | string,
    wait: { signal: AbortSignal; end: () => void },
    call: (permit: Permit) => Promise<Verdict>,
  ): Promise<Verdict> {
    wait.signal.throwIfAborted()
    const ready = readyAtOnce() ?? (await turnstile.pass(wait.signal, () => getReady(wait.signal)))
    const { permit, place } = ready
    wait.end()
    sent++
    let verdict: Verdict
    try {
      verdict = await call(permit)
    } catch (error) {
      // Nobody knows when the API will have received the call, so its place stays taken until its hold has passed.
      gate.forget(permit)
      throw error
    }
    learn(permit, { ...judge(verdict), itemKey })
    try {
      await place?.giveBack()
      const closed = gate.state()
      if (verdict.kind === 'rate_limited' && closed.waitingFor === 'rate_limited') {
        await ledger.closeFor(Math.max(0, closed.untilMs - clock.monotonicMs()))
      }
    } catch (error) {
      // The verdict counts more: the place comes back anyway, when its hold has passed, and if the ledger is
      // still out of order the next call says so.
      if (!(error instanceof UsageError)) throw error
    }
    return verdict
  }

  return {
    schedule({ isRetry, itemKey, signal }, call) {
      return new Promise((resolve, reject) => {
        if (signal.aborted) return reject(signal.reason)
        const own = new AbortController()
        const drop = (reason: unknown) => {
          own.abort(reason)
          reject(reason)
        }
        const stop = () => drop(signal.reason)
        const end = () => {
          waiting.delete(drop)
          signal.removeEventListener('abort', stop)
        }
        // One signal for a whole run is no leak.
        setMaxListeners(0, signal)
        signal.addEventListener('abort', stop, { once: true })
        waiting.add(drop)
        queue
          .add(isRetry, () => send(itemKey, { signal: own.signal, end }, call))
          .then(resolve, reject)
          .finally(end)
      })
    },
    state() {
      const closed = gate.state()
      return closed.waitingFor === 'nothing' ? state : { kind: closed.waitingFor, untilMs: closed.untilMs }
    },
    counts: () => ({ sent, rateLimited }),
    setShare(newShare) {
      share = newShare
    },
    async close() {
      for (const drop of waiting) drop(new Error('The limiter was closed'))
      closing ??= queue.close()
      await closing
    },
  }
}

/** The share may be changed, and another process may release a place: so nobody sleeps on an old answer for long. */
const askAgainPlaceMs = 1000

/** The wall clock may be set meanwhile. */
const askAgainHoursMs = 60_000

function judge(verdict: Verdict): Omit<CallResult, 'itemKey'> {
  const { quota } = verdict
  switch (verdict.kind) {
    case 'settled':
    case 'refused':
      return { kind: 'ok', quota, message: '' }
    case 'rate_limited':
      return { kind: 'rate_limited', quota, message: verdict.outcome.message }
    case 'again':
      return { kind: 'failure', quota, message: verdict.outcome.message }
  }
}
