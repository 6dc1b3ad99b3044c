import { settledItems } from '../checkpoint/rows.js'
import { IdSet } from '../id-set.js'
import { openInput } from '../input.js'
import { readItems } from '../items.js'
import type { RunDirectory } from '../run-directory.js'
import type { RunFile } from '../run-file.js'
import { counted } from '../words.js'
import { type Check, right, wrong } from './check.js'
import { checkFiles } from './files.js'

/** Compares the hold lists with their fingerprints, and looks for an item on them that was called. */
export async function checkHold(
  directory: RunDirectory,
  run: RunFile,
  checkpoint: { path: string; bytes: number },
  isLeftOut: boolean,
): Promise<Check> {
  const check = await checkFiles('hold', directory, run.hold, isLeftOut)
  if (check.isRight !== true) return check
  const held = new IdSet()
  const settings = { format: 'auto', idColumn: null, acceptTruncated: false }
  for await (const batch of readItems(await openInput(run.hold, settings, [])))
    for (const { item } of batch) held.add(item.id)
  for await (const batch of settledItems(checkpoint.path, checkpoint.bytes)) {
    const called = batch.find(({ id, attempts }) => attempts > 0 && held.has(id))
    if (called !== undefined)
      return wrong('hold', `${called.id} is on hold, and was called (${called.source}, line ${called.line}).`)
  }
  return right('hold', `${check.finding.slice(0, -1)}; none of ${counted(held.size, 'ID')} was called.`)
}
