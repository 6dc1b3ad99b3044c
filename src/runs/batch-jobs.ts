import type { Outcome } from '../item.js'
import type { Batch } from '../job.js'
import type { Clock } from '../system/clock.js'
import type { BatchCalls } from './batch-calls.js'

export interface BatchJobsParts {
  calls: Pick<BatchCalls, 'ask'>
  settle: (batch: Batch, outcomes: readonly Outcome[], attempts: number, sinceMs: number) => Promise<void>
  /** How long to ask for what became of a batch before the run stops for now. */
  pollForMs: number
  stopSignal: AbortSignal
  clock: Clock
}

const firstDelayMs = 1000
const longestDelayMs = 300_000

/** A job that is not found may be too young; so often, and it is lost. */
const askedInVainMax = 5

/** The jobs that the API has made of batches, each asked for until it is over. */
export class BatchJobs {
  readonly #parts: BatchJobsParts
  readonly #jobs = new Set<Promise<void>>()
  readonly #errors: unknown[] = []
  /** Whose jobs go on beyond this execution. */
  itemsUnderWay = 0

  constructor(parts: BatchJobsParts) {
    this.#parts = parts
  }

  /** Nobody waits for a job before all is handed over: it may take days. */
  follow(batch: Batch, job: string, attempts: number): void {
    const following = this.#askUntilOver(batch, job, attempts)
      .catch((error) => void this.#errors.push(error))
      .then(() => void this.#jobs.delete(following))
    this.#jobs.add(following)
  }

  /** Resolves when all are over, and their items settled, or have taken longer than may be waited for. */
  async over(): Promise<void> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs)
    if (this.#errors.length > 0) throw this.#errors[0]
  }

  async #askUntilOver(batch: Batch, job: string, attempts: number): Promise<void> {
    const { calls, settle, pollForMs, stopSignal, clock } = this.#parts
    const sinceMs = clock.monotonicMs()
    let askedInVain = 0
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(2 * delayMs, longestDelayMs)) {
      const outcomes = await calls.ask(batch, job)
      askedInVain = outcomes?.[0]?.reason === 'job_lost' ? askedInVain + 1 : 0
      const isYoung = askedInVain > 0 && askedInVain < askedInVainMax
      if (outcomes !== null && !isYoung) return settle(batch, outcomes, attempts, sinceMs)
      const leftMs = sinceMs + pollForMs - clock.monotonicMs()
      if (leftMs <= 0) break
      await clock.sleep(Math.min(delayMs, leftMs), stopSignal)
    }
    this.itemsUnderWay += batch.items.length
  }
}
