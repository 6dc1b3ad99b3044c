import { settledItems } from '../checkpoint/rows.js'
import { openInput } from '../input.js'
import { nameOf } from '../item.js'
import { type IdRules, readItems } from '../items.js'
import type { SettledItem } from '../outcome.js'
import type { RunFile } from '../run-file.js'
import { counted, inDigits } from '../words.js'
import { type Check, right, wrong } from './check.js'

/** Reads the input again, which is what it was, and holds each row against what the checkpoint says of it. */
export async function checkRows(
  run: RunFile,
  checkpoint: { path: string; bytes: number; isFinished: boolean },
  ids: IdRules,
): Promise<Check> {
  const settled = oneByOne(settledItems(checkpoint.path, checkpoint.bytes))
  const { read } = run.plan
  const no = (text: string) => wrong('complete', text)
  let next = (await settled.next()).value
  let rows = 0
  let left = 0
  for await (const batch of readItems(await openInput(run.input, { ...run.settings, ids }, []))) {
    for (const { item, outcome } of batch) {
      rows += 1
      const where = `${item.source}, line ${item.line}`
      if (next?.ordinal !== item.ordinal) {
        left += 1
        if (checkpoint.isFinished)
          return no(`${where}: ${nameOf(item)} has no outcome, and the run is finished.`)
        continue
      }
      const fault = faultOf(next, { ...item, id: nameOf(item), status: outcome?.status ?? null })
      if (fault !== null) return no(`${where}: ${fault}.`)
      next = (await settled.next()).value
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

async function* oneByOne(
  batches: AsyncIterable<readonly SettledItem[]>,
): AsyncGenerator<SettledItem, undefined> {
  for await (const batch of batches) yield* batch
}

/** Rows that the source or an earlier row settle come to the same again; the others to anything but that. */
function faultOf(
  settled: SettledItem,
  row: { id: string; source: string; line: number; status: string | null },
): string | null {
  if (settled.id !== row.id)
    return `it holds ${row.id || 'no ID'}, and the checkpoint has ${settled.id || 'none'} there`
  if (settled.line !== row.line || settled.source !== row.source)
    return `the checkpoint has ${row.id} at ${settled.source}, line ${settled.line}`
  if (row.status === null) return settled.status === 'duplicate' ? `${row.id} is no duplicate` : null
  return settled.status === row.status
    ? null
    : `${row.id || 'it'} is ${row.status}, and the checkpoint says ${settled.status}`
}
