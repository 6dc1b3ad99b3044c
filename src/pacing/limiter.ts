import { setMaxListeners } from 'node:events'
import type { Verdict } from '../job.js'
import type { Hours } from '../settings/hours.js'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { type CallResult, openGate, type Permit } from './gate.js'
import type { Ledger } from './ledger.js'
import { openQueue } from './queue.js'
import { type Pace, type Turn, Turns } from './turns.js'
import { Turnstile } from './turnstile.js'
import type { Waiting } from './waiting.js'

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
  /** Begins with a pause. */
  isPaused?: boolean
}

/** Lets calls leave when their turn has come. Keep at most about twice `concurrency` scheduled: the queue is slow. */
export interface Limiter {
  /**
   * Waits for the turn, makes the call and learns from its verdict. An abort of the signal ends the waiting at
   * once, no call. Rejects with `ApiDownError` or `LedgerLostError` when API or ledger fail for too long.
   */
  schedule(options: ScheduleOptions, call: (permit: Permit) => Promise<Verdict>): Promise<Verdict>
  /** What all calls are waiting for right now. */
  waiting(): Waiting
  counts(): { sent: number; rateLimited: number }
  pace(): Pace
  /** Changes what is named; whoever waits looks again at once. */
  setPace(pace: Partial<Pace>): void
  /** Milliseconds by what took them, since this was asked before. */
  takeTimeSpent(): Record<string, number>
  /** Drops what waits, waits for the calls in flight. The ledger stays open. */
  close(): Promise<void>
}

export interface ScheduleOptions {
  /** Goes before all that has not been tried yet. */
  isRetry: boolean
  itemKey: number | string
  signal: AbortSignal
}

export function openLimiter(options: LimiterOptions): Limiter {
  const { ledger, clock, windows, share } = options
  const longestWindowMs = windows === 'none' ? 60_000 : Math.max(0, ...windows.map(({ perMs }) => perMs))
  const gate = openGate({ ...options, longestWindowMs })
  const turns = new Turns({ ...options, gate, pace: { windows, share, isPaused: options.isPaused ?? false } })
  const turnstile = new Turnstile()
  const queue = openQueue(options)
  /** Drop what has not left yet; for `close`. */
  const waiting = new Set<(reason: unknown) => void>()
  let sent = 0
  let rateLimited = 0
  let closing: Promise<void> | null = null

  function learn({ permit, taken }: Turn, result: CallResult): void {
    gate.report(permit, { ...result, quota: turns.allowance.asFarAsOurs(result.quota) })
    if (taken) turns.allowance.answered(result.quota, turns.ownCalls(taken))
    if (result.kind !== 'rate_limited') return
    rateLimited++
    turns.allowance.rateLimited()
  }

  async function send(
    itemKey: number | string,
    wait: { signal: AbortSignal; end: () => void },
    call: (permit: Permit) => Promise<Verdict>,
  ): Promise<Verdict> {
    wait.signal.throwIfAborted()
    const atOnce = turnstile.isBusy ? null : turns.atOnce()
    const turn = atOnce ?? (await turnstile.pass(wait.signal, () => turns.next(wait.signal)))
    const { permit, taken } = turn
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
    learn(turn, { ...judge(verdict), itemKey })
    try {
      await taken?.place.giveBack()
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
    waiting: () => turns.waiting,
    counts: () => ({ sent, rateLimited }),
    pace: () => turns.pace,
    setPace(pace) {
      turns.pace = { ...turns.pace, ...pace }
    },
    takeTimeSpent: () => turns.takeTimeSpent(),
    async close() {
      for (const drop of waiting) drop(new Error('The limiter was closed'))
      closing ??= queue.close()
      await closing
    },
  }
}

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
