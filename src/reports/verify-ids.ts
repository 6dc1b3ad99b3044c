import { Bitset } from '../checkpoint/bitset.js'
import { nameOf, type SettledItem } from '../item.js'
import { IdSet } from '../sources/id-set.js'
import { type InputSettings, openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { counted, inDigits } from '../system/text.js'
import { type Check, right, wrong } from './verify-check.js'

/**
 * Whether every ID of some files has exactly one outcome in the run. An ID that comes again in them has one too, as a
 * duplicate of its first row. Throws a UsageError for a file that cannot be read.
 */
export async function checkIds(
  files: readonly InputFile[],
  settings: InputSettings,
  ids: IdRules,
  settled: AsyncIterable<readonly SettledItem[]>,
): Promise<Check> {
  const outcomes = new IdSet()
  // A row that cannot be used may hold an ID all the same, also one that another row holds.
  const unusable = new IdSet()
  for await (const batch of settled) {
    for (const { id, status, source, line } of batch) {
      if (status === 'duplicate') continue
      if (status === 'invalid') unusable.add(id)
      else if (!outcomes.add(id))
        return wrong('ids', `${id} has two outcomes in the run; the second is of ${source}, line ${line}.`)
    }
  }
  const named = new Bitset()
  const unknown = new IdSet()
  let missing = 0
  let first = ''
  let rows = 0
  // IDs that come again are found here, so that nobody else has to remember them all.
  const input = await openInput(files, settings, ids)
  for await (const batch of readItems(input, { isFreeOfDuplicates: true })) {
    rows += batch.length
    for (const { item, outcome } of batch) {
      const name = nameOf(item)
      const place = outcomes.placeOf(name)
      if (place !== null) named.add(place)
      else if (!unusable.has(name) && (outcome !== null || unknown.add(name)) && ++missing === 1)
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
