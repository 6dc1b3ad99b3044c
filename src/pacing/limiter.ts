import Bottleneck from 'bottleneck'
import limitConcurrency from 'p-limit'
import type { Hours } from '../settings/hours.js'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { Admission, type Pace, type Waiting } from './admission.js'
import { type CallResult, CircuitBreaker } from './breaker.js'
import type { Ledger } from './ledger.js'

export interface LimiterOptions {
  ledger: Ledger
  /** The API's own limits; `none` bypasses Bottleneck and the ledger. */
  windows: readonly RateWindow[] | 'none'
  /** The part of each window to use, from 0 to 1. */
  share: number
  /** Calls in flight. */
  concurrency: number
  /** The longest that a call may last, its timeout and a margin. */
  holdMs: number
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  hours?: Hours
  outageMaxMs?: number
  /** Starts paused. */
  isPaused?: boolean
}

/** Lets calls leave when they may. Keep at most about twice `concurrency` scheduled: the queue is slow. */
export interface Limiter {
  /**
   * Waits for a permit, makes the call and learns from its result, which `judge` reads. When the signal is aborted, a
   * call that has not left never leaves. Rejects with `ApiDownError` or `LedgerLostError` when the API or the ledger
   * fail for too long.
   */
  schedule<T>(
    options: ScheduleOptions,
    call: (isProbe: boolean) => Promise<T>,
    judge: (answer: T) => CallResult,
  ): Promise<T>
  /** What all calls wait for right now. */
  waiting(): Waiting
  counts(): { sent: number; rateLimited: number }
  pace(): Pace
  /** Changes what is named; calls that wait look again at once. */
  setPace(pace: Partial<Pace>): void
  /** Milliseconds by what took them, since the last time that this was called. */
  takeTimeSpent(): Record<string, number>
  /** Drops the calls that wait, and waits for the calls in flight. The ledger stays open. */
  close(): Promise<void>
}

export interface ScheduleOptions {
  /** Goes before all calls that are no retries. */
  isRetry: boolean
  itemKey: number | string
  signal: AbortSignal
}

export function openLimiter(options: LimiterOptions): Limiter {
  const { ledger, clock, random, windows, share, holdMs, hours, outageMaxMs, isPaused = false } = options
  const longestWindowMs = windows === 'none' ? 60_000 : Math.max(0, ...windows.map(({ perMs }) => perMs))
  const breaker = new CircuitBreaker({ clock, random, longestWindowMs, outageMaxMs })
  const pace = { windows, share, isPaused }
  const admission = new Admission({ ledger, breaker, pace, holdMs, hours, clock })
  const queue = windows === 'none' ? plainQueue(options.concurrency) : priorityQueue(options.concurrency)
  let sent = 0
  let rateLimited = 0
  let closing: Promise<void> | null = null

  async function send<T>(
    { itemKey, signal }: ScheduleOptions,
    call: (isProbe: boolean) => Promise<T>,
    judge: (answer: T) => CallResult,
  ): Promise<T> {
    signal.throwIfAborted()
    const permit = await admission.admit(signal)
    sent++
    let answer: T
    try {
      answer = await call(permit.pass.isProbe)
    } catch (error) {
      // The API may receive the call at any time, so its slot stays taken until its hold has passed.
      admission.forget(permit)
      throw error
    }
    const result = judge(answer)
    admission.answered(permit, result, itemKey)
    const isRateLimited = result.kind === 'rate_limited'
    if (isRateLimited) rateLimited++
    try {
      await permit.taken?.slot.giveBack()
      const { waitingFor, untilMs } = breaker.state
      if (isRateLimited && waitingFor === 'rate_limited') {
        await ledger.blockFor(Math.max(0, untilMs - clock.monotonicMs()))
      }
    } catch (error) {
      // The answer matters more: the slot comes back anyway when its hold has passed, and if the ledger is still out
      // of order the next call says so.
      if (!(error instanceof UsageError)) throw error
    }
    return answer
  }

  return {
    async schedule(options, call, judge) {
      options.signal.throwIfAborted()
      return queue.add(options.isRetry, () => send(options, call, judge))
    },
    waiting: () => admission.waiting,
    counts: () => ({ sent, rateLimited }),
    pace: () => admission.pace,
    setPace(pace) {
      admission.pace = { ...admission.pace, ...pace }
    },
    takeTimeSpent: () => admission.takeTimeSpent(),
    close() {
      admission.close()
      closing ??= queue.close()
      return closing
    },
  }
}

/** Calls that wait to be sent, and a limit on those in flight. */
interface Queue {
  add<T>(isRetry: boolean, job: () => Promise<T>): Promise<T>
  /** Drops the jobs that have not started, and resolves when the others have ended. */
  close(): Promise<void>
}

function priorityQueue(concurrency: number): Queue {
  const bottleneck = new Bottleneck({ maxConcurrent: concurrency })
  return {
    add: (isRetry, job) => bottleneck.schedule({ priority: isRetry ? 0 : 5 }, job),
    close: () => bottleneck.stop({ dropWaitingJobs: true, dropErrorMessage: 'The limiter was closed' }),
  }
}

/** Without windows: Bottleneck costs 0.4 ms of CPU a job. A closed admission rejects the jobs that have not started. */
function plainQueue(concurrency: number): Queue {
  const limit = limitConcurrency(concurrency)
  let left = 0
  let whenEmpty = () => {}
  return {
    async add(_isRetry, job) {
      left++
      try {
        return await limit(job)
      } finally {
        left--
        if (left === 0) whenEmpty()
      }
    },
    async close() {
      if (left > 0) await new Promise<void>((resolve) => (whenEmpty = resolve))
    },
  }
}
