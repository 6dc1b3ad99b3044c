import pLimit from 'p-limit'
import type { Item, Outcome } from './item.js'
import type { InputItem } from './sources/items.js'
import type { Stop } from './system/stop.js'

/** The parts of a bulk job: source → filter → pacing → operation → checkpoint → report. */
export interface Line {
  /** Source and filter: the items in order, each with its outcome if it needs no call. */
  items: AsyncIterable<readonly InputItem[]>
  isSettled(item: Item): boolean
  /** Whether one more item may be called; asks the run to stop if not. */
  mayBegin(): boolean
  /** Pacing, operation and checkpoint: calls until the outcome is on disk. */
  settleByCalling(item: Item): Promise<void>
  /** Checkpoint only: the outcome needed no call. */
  settleWithoutCalling(item: Item, outcome: Outcome): void
  /** Items in progress at once, waits for a retry included; the source is read no further ahead. */
  itemsInProgressMax: number
  stop: Stop
}

/**
 * Takes every item down the line until none is left or the run is asked to stop. Items in progress are then settled or
 * left unsettled, never forgotten. Throws only what is a bug, or the source's refusal of a file, and not before the
 * items in progress have ended.
 */
export async function runLine(line: Line): Promise<void> {
  const inProgress = pLimit(line.itemsInProgressMax)
  const running = new Set<Promise<void>>()
  const errors: unknown[] = []
  const isOver = () => line.stop.reason !== null || errors.length > 0
  try {
    for await (const batch of line.items) {
      for (const { item, outcome } of batch) {
        if (isOver()) break
        if (line.isSettled(item)) continue
        if (outcome) line.settleWithoutCalling(item, outcome)
        else if (line.mayBegin()) await begin(item)
      }
      if (isOver()) break
    }
  } catch (error) {
    errors.push(error)
  }
  await Promise.all(running)
  if (errors.length > 0) throw errors[0]

  /** Resolves when the item has a slot, not when it is settled. */
  function begin(item: Item): Promise<void> {
    return new Promise((begun) => {
      const settling = inProgress(async () => {
        begun()
        try {
          if (!isOver()) await line.settleByCalling(item)
        } catch (error) {
          errors.push(error)
        }
      }).then(() => void running.delete(settling))
      running.add(settling)
    })
  }
}
