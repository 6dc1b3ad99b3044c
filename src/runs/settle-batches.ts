import type { OpenBatch } from '../checkpoint/batch-notes.js'
import type { Item, Outcome } from '../item.js'
import type { Batch } from '../job.js'
import type { JudgedItem } from '../sources/items.js'
import { Stopped } from '../system/stop.js'
import { BatchCalls, type BatchCallsParts, type EarlierSubmits, lostForGood } from './batch-calls.js'
import { BatchJobs } from './batch-jobs.js'
import { Batching, referenceOf } from './batching.js'
import type { Dispatcher, Recorder } from './settle.js'

export interface BatchSettlingParts extends BatchCallsParts {
  recorder: Pick<Recorder, 'settle'>
  run: { run: string; startedAt: string }
  /** How long to ask for what became of a batch before the run stops for now. */
  pollForMs: number
}

/** Batches on their way to the API at once; the source is read no further ahead. */
const batchesMax = 8

const notCalled: EarlierSubmits = { calls: 0, isAnswerLost: false }

/** Settles items in batches: hands each batch over, asks until its job is over, and settles each item by that. */
export class BatchSettling implements Dispatcher {
  readonly #parts: BatchSettlingParts
  readonly #calls: BatchCalls
  readonly #jobs: BatchJobs
  readonly #batching: Batching
  readonly #open = new Map<number, OpenBatch>()
  /** End the waiting of those who asked for an item to be settled. */
  readonly #ends = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>()

  constructor(parts: BatchSettlingParts) {
    this.#parts = parts
    this.#calls = new BatchCalls(parts)
    this.#jobs = new BatchJobs({
      ...parts,
      calls: this.#calls,
      settle: (...batch) => this.#settle(...batch),
      stopSignal: parts.policy.stopSignal,
    })
    this.#batching = new Batching(parts.operation)
    for (const open of parts.state.batches.values()) {
      for (const ordinal of open.ordinals) this.#open.set(ordinal, open)
    }
  }

  get itemsInProgressMax(): number {
    return this.#parts.operation.itemsMax * batchesMax
  }

  isOpen(item: Item): boolean {
    return this.#open.has(item.ordinal)
  }

  /** The items as they come; behind the last one, the batch that is not full is handed over too. */
  async *through(items: AsyncIterable<readonly JudgedItem[]>): AsyncGenerator<readonly JudgedItem[]> {
    try {
      yield* items
    } catch (error) {
      this.#end(this.#batching.takeRest() ?? [], new Stopped())
      throw error
    } finally {
      this.#begin(this.#batching.takeRest())
    }
  }

  settle(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#ends.set(item.ordinal, { resolve, reject })
      this.#begin(this.#batching.add(item))
    })
  }

  async rejoin(read: () => AsyncIterable<readonly JudgedItem[]>): Promise<void> {
    if (this.#open.size === 0) return
    const found = new Map<OpenBatch, JudgedItem[]>()
    for await (const some of read()) {
      for (const judged of some) {
        const open = this.#open.get(judged.item.ordinal)
        if (open === undefined) continue
        if (!found.has(open)) found.set(open, [])
        found.get(open)!.push(judged)
      }
    }
    const ends = await Promise.allSettled([...found].map((one) => this.#goOn(...one)))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  }

  async #goOn(open: OpenBatch, judged: readonly JudgedItem[]): Promise<void> {
    const { clock, operation } = this.#parts
    const batch = { items: judged.map(({ item }) => item), reference: open.reference }
    if (open.job !== null) return this.#jobs.follow(batch, open.job, open.calls)
    const isHeld = ({ outcome }: JudgedItem) => outcome?.reason === 'on_hold'
    const isTooLate = clock.wallMs() - Date.parse(open.firstSentAt) > operation.repeatableMs
    if (!isTooLate && !judged.some(isHeld)) return this.#handOver(batch, open)
    // Without the item on hold it would be another batch, and sent as a whole it would touch that item.
    const outcomes = judged.map((one) => {
      if (open.isAnswerLost) return isTooLate ? lostForGood : lostAndHeld
      return isHeld(one) ? one.outcome! : notTaken
    })
    await this.#settle(batch, outcomes, open.calls)
  }

  #begin(items: readonly Item[] | null): void {
    if (items === null) return
    this.#handOver(this.#batchOf(items), notCalled).then(
      () => this.#end(items, null),
      (error) => this.#end(items, error),
    )
  }

  /** An error is told once; to the others of the batch the run has stopped. */
  #end(items: readonly Item[], error: unknown): void {
    for (const [index, { ordinal }] of items.entries()) {
      const end = this.#ends.get(ordinal)
      this.#ends.delete(ordinal)
      if (error === null) end?.resolve()
      else end?.reject(index === 0 ? error : new Stopped())
    }
  }

  #batchOf(items: readonly Item[]): Batch {
    return { items, reference: referenceOf(this.#parts.run, items) }
  }

  async #handOver(batch: Batch, earlier: EarlierSubmits): Promise<void> {
    const { items } = batch
    const { job, outcome, attempts } = await this.#calls.submit(batch, earlier)
    if (job !== null) return this.#jobs.follow(batch, job, attempts)
    const isTooLarge = outcome.httpStatus === 413 && items.length > 1
    if (!isTooLarge) return this.#settle(batch, Array(items.length).fill(outcome), attempts)
    this.#calls.split(batch)
    const half = Math.ceil(items.length / 2)
    await this.#handOver(this.#batchOf(items.slice(0, half)), notCalled)
    await this.#handOver(this.#batchOf(items.slice(half)), notCalled)
  }

  async finish(): Promise<number> {
    await this.#jobs.over()
    return this.#jobs.itemsUnderWay
  }

  async #settle(
    batch: Batch,
    outcomes: readonly Outcome[],
    attempts: number,
    sinceMs?: number,
  ): Promise<void> {
    const { recorder, state } = this.#parts
    const settled = batch.items.map((item, index) =>
      state.settled.has(item.ordinal)
        ? null
        : recorder.settle(item, { outcome: outcomes[index]!, attempts }, sinceMs),
    )
    await Promise.all(settled)
  }
}

const lostAndHeld: Outcome = {
  ...lostForGood,
  message: 'handed over, the answer was lost, and then one of the batch came onto hold',
}

const notTaken: Outcome = {
  status: 'failed',
  reason: 'not_submitted',
  httpStatus: null,
  message: 'Ada did not take the batch when it was sent, and it was not sent again: run the job again',
}
