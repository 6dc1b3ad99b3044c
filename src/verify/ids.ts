import { settledItems } from '../checkpoint/rows.js'
import { IdSet } from '../ids/id-set.js'
import { type InputSettings, openInput } from '../input.js'
import { nameOf } from '../item.js'
import { readItems } from '../items.js'
import type { InputFile } from '../sources/source.js'
import { counted, inDigits } from '../words.js'
import { type Check, right, wrong } from './check.js'

/**
 * Whether every ID of some files has exactly one outcome in the run. An ID that comes again in them has one too, as a
 * duplicate of its first row. Throws a UsageError for a file that cannot be read.
 */
export async function checkIds(
  files: readonly InputFile[],
  settings: InputSettings,
  checkpoint: { path: string; bytes: number },
): Promise<Check> {
  const outcomes = new IdSet()
  // A row that cannot be used may hold an ID all the same, also one that another row holds.
  const unusable = new IdSet()
  for await (const batch of settledItems(checkpoint.path, checkpoint.bytes)) {
    for (const { id, status, source, line } of batch) {
      if (status === 'duplicate') continue
      if (status === 'invalid') unusable.add(id)
      else if (!outcomes.add(id))
        return wrong('ids', `${id} has two outcomes in the run; the second is of ${source}, line ${line}.`)
    }
  }
  const named = new IdSet()
  let missing = 0
  let first = ''
  let rows = 0
  for await (const batch of readItems(await openInput(files, settings, []))) {
    rows += batch.length
    for (const { item, outcome } of batch) {
      if (outcome?.status === 'duplicate') continue
      const name = nameOf(item)
      if (outcomes.has(name)) named.add(name)
      else if (!unusable.has(name) && ++missing === 1)
        first = `${item.source}, line ${item.line}: ${name || 'a row without an ID'}`
    }
  }
  if (missing > 0) {
    const more = missing === 1 ? '' : ` (and ${inDigits(missing - 1)} more)`
    return wrong('ids', `${first} has no outcome in the run${more}.`)
  }
  const others = outcomes.size - named.size
  const rest = others === 0 ? '' : `; ${counted(others, 'ID')} of the run are not in there`
  return right(
    'ids',
    `each ID of ${counted(rows, 'row')} in ${files.map(({ name }) => name).join(', ')} has exactly one outcome${rest}.`,
  )
}
