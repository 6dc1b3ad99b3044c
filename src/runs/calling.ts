import type { Item } from '../item.js'
import { type AnyOperation, type Filter, isOnBatches } from '../job.js'
import { checkingFirst } from '../operations/check-first.js'
import type { RunSettings } from '../settings/run-settings.js'
import type { JudgedItem } from '../sources/items.js'
import type { Settling } from './settle.js'
import { BatchSettling, type BatchSettlingParts } from './settle-batches.js'

type Items = AsyncIterable<readonly JudgedItem[]>

/** How the line calls its items: one by one, or in batches behind the same promise. */
export interface Calling {
  /** The items as the line shall read them. */
  through(items: Items): Items
  /** Whether an earlier execution handed the item over already; `rejoin` sees to it. */
  isOpen(item: Item): boolean
  /** Takes up what earlier executions handed over, beside the line. `read` reads the whole input. */
  rejoin(read: () => Items): Promise<void>
  /** Resolves when the item has its outcome and that is on disk, or the API has taken it for a job of its own. */
  byCalling(item: Item): Promise<void>
  /** Resolves when the jobs are over, and their items settled, or have taken longer than may be waited for. */
  jobsOver(): Promise<void>
  itemsInProgressMax: number
  /** Items whose job goes on beyond this execution. */
  readonly itemsUnderWay: number
}

export interface CallingParts extends Omit<BatchSettlingParts, 'operation' | 'settling'> {
  operation: AnyOperation
  settling: Settling
  settings: Pick<RunSettings, 'checkFirst' | 'concurrency'>
  filters: readonly Filter[]
}

/** Items in progress for each call in flight: others wait for a retry, or for their outcome to be on disk. */
const itemsPerCall = 4

export function openCalling(parts: CallingParts): Calling {
  const { operation, pace, settling, settings, filters, clock } = parts
  if (isOnBatches(operation)) return new BatchSettling({ ...parts, operation })
  const paced = settings.checkFirst ? checkingFirst(pace(operation), filters, pace, clock) : pace(operation)
  return {
    through: (items) => items,
    isOpen: () => false,
    rejoin: async () => {},
    jobsOver: async () => {},
    byCalling: (item) => settling.byCalling(item, paced),
    itemsInProgressMax: settings.concurrency * itemsPerCall,
    itemsUnderWay: 0,
  }
}
