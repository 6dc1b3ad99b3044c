import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { Checkpoint } from '../checkpoint/checkpoint.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import { settledItems } from '../checkpoint/items.js'
import { type CheckpointState, readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { scanCheckpoint } from '../checkpoint/scan.js'
import { type EarlierCalls, nameOf, type SettledItem } from '../item.js'
import type { Filter } from '../job.js'
import { isUnchanged } from '../sources/fingerprint.js'
import { IdDifference, IdHashWriter } from '../sources/id-hashes.js'
import { openInput } from '../sources/input.js'
import { type IdRules, readItems } from '../sources/items.js'
import { UsageError } from '../system/errors.js'
import { syncDirectory } from '../system/files.js'
import { type Count, countInput } from './count.js'

/** The names of the input's files that are not what they were. */
export async function changedFiles(run: RunFile): Promise<string[]> {
  const changed = []
  for (const file of run.input) if (!(await isUnchanged(file))) changed.push(file.name)
  return changed
}

/** Counts the input as it is now, and how many IDs came and went. */
export async function countChanged(
  directory: RunDirectory,
  run: RunFile,
  filters: readonly Filter[],
  ids: IdRules = {},
): Promise<{ count: Count; added: number; gone: number } | { count: Count; added: null }> {
  if (!existsSync(directory.inputIds))
    return { count: await countInput(run.input, run.settings, filters, ids), added: null }
  const difference = new IdDifference(directory.inputIds)
  const count = await countInput(run.input, run.settings, filters, ids, difference.add)
  return { count, added: difference.added, gone: difference.gone }
}

/**
 * Takes the input as it is now for this run. Row numbers mean nothing any more: what was called before is matched by
 * ID, and stands again in the checkpoint under its new place in the input.
 */
export async function acceptChangedInput(
  directory: RunDirectory,
  run: RunFile,
  count: Count,
  filters: readonly Filter[],
  ids: IdRules = {},
): Promise<void> {
  const state = readCheckpoint(directory.checkpoint)
  if (state.batches.size > 0) {
    throw new UsageError(
      'deletion jobs of this run are under way, and by the changed input nobody can tell whose: put the old file back until they are over.',
    )
  }
  const called = await calledItems(directory.checkpoint)
  const open = openItems(directory.checkpoint, state.open)
  // Beside, and renamed when it is whole: killed in between, the run stands where it stood.
  const beside = `${directory.checkpoint}.new`
  // A run that died before its first line has none.
  if (existsSync(directory.checkpoint)) copyFileSync(directory.checkpoint, beside)
  else rmSync(beside, { force: true })
  const checkpoint = new Checkpoint(beside, state)
  const hashes = new IdHashWriter(`${directory.inputIds}.new`)
  await checkpoint.record({
    event: 'input-changed',
    at: new Date().toISOString(),
    input: count.input,
    plan: { read: count.read, calls: count.calls },
  })
  const input = await openInput(count.input, run.settings, ids)
  for await (const batch of readItems(input, { filters })) {
    for (const { item, outcome } of batch) {
      if (outcome?.status === 'invalid' || outcome?.status === 'duplicate') continue
      const name = nameOf(item)
      hashes.add(name)
      const before = called.get(name)
      const earlier = open.get(name)
      if (before)
        checkpoint.add({
          event: 'settled',
          settled: { ...before, ordinal: item.ordinal, source: item.source, line: item.line },
        })
      else if (earlier) {
        const { calls, isAnswerLost } = earlier
        checkpoint.add({ event: 'calls-carried', ordinal: item.ordinal, id: name, calls, isAnswerLost })
      }
    }
  }
  hashes.close()
  await checkpoint.close()
  renameSync(beside, directory.checkpoint)
  renameSync(`${directory.inputIds}.new`, directory.inputIds)
  syncDirectory(directory.path)
}

async function calledItems(path: string): Promise<Map<string, SettledItem>> {
  const called = new Map<string, SettledItem>()
  for await (const batch of settledItems(path)) {
    for (const item of batch) if (item.attempts > 0) called.set(item.id, item)
  }
  return called
}

/** What is known of calls that settled nothing, by ID. */
function openItems(path: string, open: CheckpointState['open']): Map<string, EarlierCalls> {
  const byId = new Map<string, EarlierCalls>()
  if (open.size === 0) return byId
  scanCheckpoint(path, (line) => {
    if (line.kind === 'settled' || (line.kind !== 'other' && !open.has(line.ordinal))) return
    const event = line.event()
    // The ordinals of all events before are void.
    if (event.event === 'input-changed') byId.clear()
    if (!('ordinal' in event && 'id' in event)) return
    const earlier = open.get(event.ordinal)
    if (earlier) byId.set(event.id, earlier)
  })
  return byId
}
