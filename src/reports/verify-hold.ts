import { z } from 'zod'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { LifecycleEvent, StartEvent } from '../checkpoint/events.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { fingerprinted } from '../checkpoint/run-file.js'
import { nameOf, type SettledItem } from '../item.js'
import { IdSet } from '../sources/id-set.js'
import { openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import { counted } from '../system/text.js'
import { type Check, right, wrong } from './verify-check.js'
import { checkFiles } from './verify-files.js'

/**
 * Compares the hold lists with their fingerprints, as they were read last, and looks for an item on them that was
 * called since. (An item may have been called before it came onto hold.)
 */
export async function checkHold(
  directory: RunDirectory,
  run: RunFile,
  events: readonly LifecycleEvent[],
  settled: AsyncIterable<readonly SettledItem[]>,
  isLeftOut: boolean,
  ids: IdRules,
): Promise<Check> {
  const [last] = events.filter((event): event is StartEvent => 'hold' in event).slice(-1)
  // Whoever has changed that line is found by the chain.
  const hold = z.array(fingerprinted).safeParse(last?.hold).data ?? run.hold
  const check = await checkFiles('hold', directory, hold, isLeftOut)
  // What is erased is no conversation, and a list of conversations says nothing of it directly.
  if (check.isRight !== true || ids.isFree) return check
  const since = JSON.stringify(hold) === JSON.stringify(run.hold) ? '' : last!.at
  const held = new IdSet()
  const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
  for await (const batch of readItems(await openInput(run.hold, settings, ids)))
    for (const { item } of batch) held.add(nameOf(item))
  for await (const batch of settled) {
    const called = batch.find(
      ({ id, attempts, finishedAt }) => attempts > 0 && finishedAt >= since && held.has(id),
    )
    if (called !== undefined)
      return wrong('hold', `${called.id} is on hold, and was called (${called.source}, line ${called.line}).`)
  }
  return right('hold', `${check.finding.slice(0, -1)}; none of ${counted(held.size, 'ID')} was called.`)
}
