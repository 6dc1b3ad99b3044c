import Bottleneck from 'bottleneck'
import limitConcurrency from 'p-limit'
import type { RateWindow } from '../settings/limits.js'

/** What waits to be sent, and how many calls are in flight. */
export interface Queue {
  add<T>(isRetry: boolean, job: () => Promise<T>): Promise<T>
  /** Drops what has not started, and resolves when the rest has ended. */
  close(): Promise<void>
}

/** Bottleneck lets retries go before new items, but a job costs it 0.4 ms of CPU: it would hold up a run without windows. */
export function openQueue({ windows, concurrency }: QueueOptions): Queue {
  if (windows !== 'none') {
    const bottleneck = new Bottleneck({ maxConcurrent: concurrency })
    return {
      add: (isRetry, job) => bottleneck.schedule({ priority: isRetry ? 0 : 5 }, job),
      close: () => bottleneck.stop({ dropWaitingJobs: true }),
    }
  }
  const limit = limitConcurrency(concurrency)
  const jobs = new Set<Promise<unknown>>()
  return {
    add(_isRetry, job) {
      const promise = limit(job).finally(() => jobs.delete(promise))
      jobs.add(promise)
      return promise
    },
    async close() {
      await Promise.allSettled(jobs)
    },
  }
}

interface QueueOptions {
  windows: readonly RateWindow[] | 'none'
  concurrency: number
}
