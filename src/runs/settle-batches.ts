import { createHash } from 'node:crypto'
import type { CheckpointState, OpenBatch } from '../checkpoint/read.js'
import type { Item, Outcome } from '../item.js'
import type { Batch, BatchOperation } from '../job.js'
import type { InputItem } from '../sources/items.js'
import type { Clock } from '../system/clock.js'
import { Stopped } from '../system/stop.js'
import { BatchCalls, type BatchCallsParts, lostForGood, type PriorSubmits } from './batch-calls.js'
import type { Dispatcher, Items, Recorder } from './settle.js'

/** Batches on their way to the API at once; the source is read no further ahead. */
const batchesMax = 8

const neverSent: PriorSubmits = { calls: 0, isAnswerLost: false }

/** Fills batches with items, submits each, and settles its items when the API's job is over. */
export class BatchDispatcher implements Dispatcher {
  readonly itemsInProgressMax: number
  readonly #operation: BatchOperation
  readonly #calls: BatchCalls
  readonly #recorder: Pick<Recorder, 'settle'>
  readonly #state: CheckpointState
  readonly #run: RunIdentity
  readonly #clock: Clock
  readonly #filling: Batching
  /** By ordinal, what earlier executions submitted. */
  readonly #open = new Map<number, OpenBatch>()
  /** Who waits for the batch of an item to be submitted. */
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>()
  readonly #jobs = new Set<Promise<void>>()
  readonly #jobErrors: unknown[] = []
  #itemsInJobs = 0

  constructor(
    parts: BatchCallsParts,
    recorder: Pick<Recorder, 'settle'>,
    state: CheckpointState,
    run: RunIdentity,
  ) {
    this.#operation = parts.operation
    this.#calls = new BatchCalls(parts)
    this.#recorder = recorder
    this.#state = state
    this.#run = run
    this.#clock = parts.policy.clock
    this.#filling = new Batching(parts.operation)
    this.itemsInProgressMax = parts.operation.itemsMax * batchesMax
    for (const open of state.batches.values()) {
      for (const ordinal of open.ordinals) this.#open.set(ordinal, open)
    }
  }

  isOpen(item: Item): boolean {
    return this.#open.has(item.ordinal)
  }

  /** After the last item, submits the batch that is not full. */
  async *through(items: Items): AsyncGenerator<readonly InputItem[]> {
    try {
      yield* items
    } catch (error) {
      this.#end(this.#filling.takeRest() ?? [], new Stopped())
      throw error
    } finally {
      this.#begin(this.#filling.takeRest())
    }
  }

  settle(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(item.ordinal, { resolve, reject })
      this.#begin(this.#filling.add(item))
    })
  }

  async rejoin(read: () => Items): Promise<void> {
    if (this.#open.size === 0) return
    const found = new Map<OpenBatch, InputItem[]>()
    for await (const some of read()) {
      for (const judged of some) {
        const open = this.#open.get(judged.item.ordinal)
        if (open === undefined) continue
        const others = found.get(open)
        if (others === undefined) found.set(open, [judged])
        else others.push(judged)
      }
    }
    const ends = await Promise.allSettled([...found].map((one) => this.#resume(...one)))
    const failed = ends.find((end) => end.status === 'rejected')
    if (failed) throw failed.reason
  }

  async finish(): Promise<number> {
    while (this.#jobs.size > 0) await Promise.all(this.#jobs)
    if (this.#jobErrors.length > 0) throw this.#jobErrors[0]
    return this.#itemsInJobs
  }

  async #resume(open: OpenBatch, judged: readonly InputItem[]): Promise<void> {
    const batch = { items: judged.map(({ item }) => item), reference: open.reference }
    if (open.job !== null) return this.#follow(batch, open.job, open.calls)
    const isHeld = ({ outcome }: InputItem) => outcome?.reason === 'on_hold'
    const isTooLate = this.#clock.wallMs() - Date.parse(open.firstSentAt) > this.#operation.repeatableMs
    if (!isTooLate && !judged.some(isHeld)) return this.#submit(batch, open)
    // Without the held item it would be another batch; with it, the held item would be touched.
    const outcomes = judged.map((one) => {
      if (open.isAnswerLost) return isTooLate ? lostForGood : lostAndHeld
      return isHeld(one) ? one.outcome! : notTaken
    })
    await this.#settle(batch, outcomes, open.calls)
  }

  #begin(items: readonly Item[] | null): void {
    if (items === null) return
    this.#submit(this.#batchOf(items), neverSent).then(
      () => this.#end(items, null),
      (error) => this.#end(items, error),
    )
  }

  /** One item reports an error; to the others of the batch the run has stopped. */
  #end(items: readonly Item[], error: unknown): void {
    for (const [index, { ordinal }] of items.entries()) {
      const waiting = this.#waiting.get(ordinal)
      this.#waiting.delete(ordinal)
      if (error === null) waiting?.resolve()
      else waiting?.reject(index === 0 ? error : new Stopped())
    }
  }

  #batchOf(items: readonly Item[]): Batch {
    return { items, reference: referenceOf(this.#run, items) }
  }

  async #submit(batch: Batch, earlier: PriorSubmits): Promise<void> {
    const { items } = batch
    const { job, outcome, attempts } = await this.#calls.submit(batch, earlier)
    if (job !== null) return this.#follow(batch, job, attempts)
    const isTooLarge = outcome.httpStatus === 413 && items.length > 1
    if (!isTooLarge) return this.#settle(batch, Array(items.length).fill(outcome), attempts)
    this.#calls.split(batch)
    const half = Math.ceil(items.length / 2)
    await this.#submit(this.#batchOf(items.slice(0, half)), neverSent)
    await this.#submit(this.#batchOf(items.slice(half)), neverSent)
  }

  /** A job may take days, so the line does not wait for it; `finish` does. */
  #follow(batch: Batch, job: string, attempts: number): void {
    const following = this.#settleByJob(batch, job, attempts)
      .catch((error) => void this.#jobErrors.push(error))
      .then(() => void this.#jobs.delete(following))
    this.#jobs.add(following)
  }

  async #settleByJob(batch: Batch, job: string, attempts: number): Promise<void> {
    const sinceMs = this.#clock.monotonicMs()
    const outcomes = await this.#calls.outcomesOf(batch, job)
    if (outcomes === null) this.#itemsInJobs += batch.items.length
    else await this.#settle(batch, outcomes, attempts, sinceMs)
  }

  async #settle(
    { items }: Batch,
    outcomes: readonly Outcome[],
    attempts: number,
    sinceMs?: number,
  ): Promise<void> {
    const settled = items.map((item, index) =>
      this.#state.settled.has(item.ordinal)
        ? null
        : this.#recorder.settle(item, { outcome: outcomes[index]!, attempts }, sinceMs),
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

type BatchLimits = Pick<BatchOperation, 'itemsMax' | 'bytesMax' | 'bytesOf' | 'bytesOfFrame'>

/** Fills batches with items in their order, each as full as the API takes it. */
export class Batching {
  readonly #limits: BatchLimits
  #items: Item[] = []
  #bytes = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  /** The batch that is full because it has no room for this item; null when it has. */
  add(item: Item): readonly Item[] | null {
    const { itemsMax, bytesMax, bytesOf, bytesOfFrame } = this.#limits
    const bytes = bytesOf(item)
    const isFull = this.#items.length === itemsMax || bytesOfFrame + this.#bytes + bytes > bytesMax
    const full = isFull ? this.takeRest() : null
    this.#items.push(item)
    this.#bytes += bytes
    return full
  }

  /** The batch that is not full; null when it is empty. */
  takeRest(): readonly Item[] | null {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items.length === 0 ? null : items
  }
}

interface RunIdentity {
  run: string
  startedAt: string
}

/** The same items of the same run give the same reference, which tells a stranger nothing about them. */
export function referenceOf({ run, startedAt }: RunIdentity, items: readonly Item[]): string {
  const hash = createHash('sha256').update(JSON.stringify([run, startedAt]))
  for (const { ordinal, id } of items) hash.update(JSON.stringify([ordinal, id]))
  return `ada-bulk-${hash.digest('hex').slice(0, 32)}`
}
