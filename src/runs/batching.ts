import { createHash } from 'node:crypto'
import type { Item } from '../item.js'
import type { BatchOperation } from '../job.js'

export type BatchLimits = Pick<BatchOperation, 'itemsMax' | 'bytesMax' | 'bytesOf' | 'bytesOfFrame'>

/** Fills batches with items in their order, each as full as the API takes it. */
export class Batching {
  readonly #limits: BatchLimits
  #items: Item[] = []
  #bytes = 0

  constructor(limits: BatchLimits) {
    this.#limits = limits
  }

  /** The batch that is full because this item has no room in it any more; null when it has. */
  add(item: Item): readonly Item[] | null {
    const { itemsMax, bytesMax, bytesOf, bytesOfFrame } = this.#limits
    const bytes = bytesOf(item)
    const isFull = this.#items.length === itemsMax || bytesOfFrame + this.#bytes + bytes > bytesMax
    const full = isFull ? this.takeRest() : null
    this.#items.push(item)
    this.#bytes += bytes
    return full
  }

  /** What is left when no more items come; null when nothing is. */
  takeRest(): readonly Item[] | null {
    const items = this.#items
    this.#items = []
    this.#bytes = 0
    return items.length === 0 ? null : items
  }
}

/** The same items of the same run give the same reference. It says nothing about them to who does not know them. */
export function referenceOf(run: { run: string; startedAt: string }, items: readonly Item[]): string {
  const hash = createHash('sha256').update(JSON.stringify([run.run, run.startedAt]))
  for (const { ordinal, id } of items) hash.update(JSON.stringify([ordinal, id]))
  return `ada-bulk-${hash.digest('hex').slice(0, 32)}`
}
