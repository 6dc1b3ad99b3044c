import { setTimeout as delay } from 'node:timers/promises'

/**
 * Time as an argument, so that tests can fake it. All values are milliseconds.
 * `monotonicMs` never jumps and counts from the start of the host; `wallMs` is the time of day.
 */
export interface Clock {
  wallMs(): number
  monotonicMs(): number
  /** Resolves after `ms`, however long that is. Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** Node fires a timer of more than 2³¹−1 ms at once, so a longer wait is cut into pieces. */
const longestTimerMs = 2 ** 31 - 1

export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => Number(process.hrtime.bigint() / 1000n) / 1000,
  async sleep(ms, signal) {
    const endMs = systemClock.monotonicMs() + ms
    for (;;) {
      signal?.throwIfAborted()
      const leftMs = endMs - systemClock.monotonicMs()
      if (leftMs <= 0) return
      await delay(Math.min(Math.ceil(leftMs), longestTimerMs), undefined, signal ? { signal } : {}).catch(
        (error) => {
          throw signal?.aborted ? signal.reason : error
        },
      )
    }
  },
}
