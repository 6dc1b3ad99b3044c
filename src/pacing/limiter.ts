import Bottleneck from 'bottleneck'
import limitConcurrency from 'p-limit'
import { UsageError } from '../system/errors.js'
import { Admission, type AdmissionOptions, type Pace } from './admission.js'
import type { CallResult } from './breaker.js'

export interface LimiterOptions extends AdmissionOptions {
  /** Calls in flight. */
  concurrency: number
}

export interface ScheduleOptions {
  /** Goes before all calls that are no retries. */
  isRetry: boolean
  itemKey: number | string
  signal: AbortSignal
}

export type Limiter = ReturnType<typeof openLimiter>

/** Lets calls leave when they may. Keep at most about twice `concurrency` scheduled: the queue is slow. */
export function openLimiter(options: LimiterOptions) {
  const { ledger, concurrency } = options
  const admission = new Admission(options)
  const queue = options.limits === 'none' ? plainQueue(concurrency) : priorityQueue(concurrency)
  let sent = 0
  let rateLimited = 0
  let answered = 0
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
    const silenceMs = admission.answered(permit, result, itemKey)
    if (result.kind === 'rate_limited') rateLimited++
    if (result.kind === 'ok') answered++
    try {
      await permit.taken?.slot.giveBack()
      if (silenceMs > 0) await ledger.blockFor(silenceMs)
    } catch (error) {
      // The answer matters more: the slot comes back anyway when its hold has passed, and if the ledger is still out
      // of order the next call says so.
      if (!(error instanceof UsageError)) throw error
    }
    return answer
  }

  return {
    /**
     * Waits for a permit, makes the call and learns from its answer, which `judge` reads. When the signal is aborted,
     * a call that has not left never leaves. Rejects with `ApiDownError` or `LedgerLostError` when the API or the
     * ledger fail for too long. `followUp` may `send` another call, with a permit of its own, before calls that wait
     * take the place of this one.
     */
    async schedule<T>(
      options: ScheduleOptions,
      call: (isProbe: boolean) => Promise<T>,
      judge: (answer: T) => CallResult,
      followUp: (answer: T, send: (call: () => Promise<T>) => Promise<T>) => Promise<T> | T = (answer) =>
        answer,
    ): Promise<T> {
      options.signal.throwIfAborted()
      return queue.add(options.isRetry, async () =>
        followUp(await send(options, call, judge), (next) => send(options, next, judge)),
      )
    },
    /** What all calls wait for right now. */
    waiting: () => admission.waiting,
    counts: () => ({ sent, rateLimited }),
    /** Calls that did not fail: a sign that the API is up. */
    answered: () => answered,
    pace: () => admission.pace,
    /** Changes what is named; calls that wait look again at once. */
    setPace(pace: Partial<Pace>): void {
      admission.pace = { ...admission.pace, ...pace }
    },
    /** Milliseconds by what took them, since the last time that this was called. */
    takeTimeSpent: () => admission.takeTimeSpent(),
    /** Drops the calls that wait, and waits for the calls in flight. The ledger stays open. */
    close(): Promise<void> {
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
