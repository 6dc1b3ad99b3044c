import type { RunFile } from '../checkpoint/run-file.js'
import { type Item, nameOf, type Outcome, type SettledItem } from '../item.js'
import { openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import { counted, inDigits } from '../system/text.js'
import { type Check, right, wrong } from './verify-check.js'

/** Reads the input again, which is what it was, and holds each row against what the checkpoint says of it. */
export async function checkRows(
  run: RunFile,
  settled: AsyncIterable<readonly SettledItem[]>,
  isFinished: boolean,
  ids: IdRules,
): Promise<Check> {
  const { read } = run.plan
  const no = (text: string) => wrong('complete', text)
  const batches = settled[Symbol.asyncIterator]()
  let batch: readonly SettledItem[] | null = []
  let at = 0
  let rows = 0
  let left = 0
  for await (const items of readItems(await openInput(run.input, run.settings, ids))) {
    for (const { item, outcome } of items) {
      rows += 1
      while (batch !== null && at === batch.length) {
        const { value, done }: IteratorResult<readonly SettledItem[]> = await batches.next()
        batch = done ? null : value
        at = 0
      }
      const next = batch?.[at]
      if (next?.ordinal !== item.ordinal) {
        left += 1
        if (isFinished)
          return no(`${placeOf(item)}: ${nameOf(item)} has no outcome, and the run is finished.`)
        continue
      }
      const fault = faultOf(next, item, outcome)
      if (fault !== null) return no(`${placeOf(item)}: ${fault}.`)
      at += 1
    }
  }
  if (rows !== read) return no(`the input has ${counted(rows, 'row')}, and run.json says ${inDigits(read)}.`)
  return right(
    'complete',
    left === 0
      ? `each of ${counted(rows, 'row')} of the input has exactly one outcome.`
      : `${inDigits(rows - left)} of ${counted(rows, 'row')} have one outcome; the run is not finished.`,
  )
}

function placeOf({ source, line }: Item): string {
  return `${source}, line ${line}`
}

/** Rows that the source or an earlier row settle come to the same again; the others to anything but that. */
function faultOf(settled: SettledItem, item: Item, outcome: Outcome | null): string | null {
  const id = nameOf(item)
  if (settled.id !== id)
    return `it holds ${id || 'no ID'}, and the checkpoint has ${settled.id || 'none'} there`
  if (settled.line !== item.line || settled.source !== item.source)
    return `the checkpoint has ${id} at ${settled.source}, line ${settled.line}`
  if (outcome === null) return settled.status === 'duplicate' ? `${id} is no duplicate` : null
  return settled.status === outcome.status
    ? null
    : `${id || 'it'} is ${outcome.status}, and the checkpoint says ${settled.status}`
}
