import { copyFileSync, existsSync, renameSync, rmSync } from 'node:fs'
import { Checkpoint } from '../checkpoint/checkpoint.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import { withAcceptedInput, withHoldLists } from '../checkpoint/history.js'
import { settledItems } from '../checkpoint/items.js'
import { type CheckpointState, readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { scanCheckpoint } from '../checkpoint/scan.js'
import type { SyncState } from '../filters/settled-before.js'
import { nameOf, type PriorCalls, type SettledItem } from '../item.js'
import type { Filter, Job } from '../job.js'
import { isUnchanged } from '../sources/fingerprint.js'
import { IdDifference, IdHashWriter } from '../sources/id-hashes.js'
import { idKey } from '../sources/identifier.js'
import { openInput } from '../sources/input.js'
import { type IdRules, type Input, readItems } from '../sources/items.js'
import { UsageError } from '../system/errors.js'
import { syncDirectory } from '../system/files.js'
import { inDigits } from '../system/text.js'
import { type Count, countInput } from './count.js'
import { filtersOfRun } from './filters.js'

/**
 * The run with its input as it is now, and what its checkpoint says then. When the input has changed, `onChange` is called
 * with what changed; unless it throws, the changed input is accepted.
 */
export async function checkInput(
  directory: RunDirectory,
  agreed: RunFile,
  state: CheckpointState,
  job: Job,
  syncState: SyncState | null,
  ids: IdRules,
  onChange: (changes: string) => void,
): Promise<{ file: RunFile; input: Input; state: CheckpointState }> {
  const file = withHoldLists(withAcceptedInput(agreed, state), state)
  const changed = await changedFiles(file)
  // An input that cannot be read any more is named before this.
  const input = await openInput(file.input, file.settings, ids)
  if (changed.length === 0) return { file, input, state }
  const { filters } = await filtersOfRun(file, job, syncState)
  const { count, difference } = await countChanged(directory, input, filters)
  const which =
    difference === null
      ? 'which IDs is unknown'
      : `+${inDigits(difference.added)} new, −${inDigits(difference.gone)} gone`
  onChange(`${changed.join(', ')} (${which})`)
  await acceptChangedInput(directory, input, count, filters)
  const plan = { read: count.read, calls: count.calls }
  return {
    file: { ...file, input: count.input, plan, duplicates: undefined },
    input,
    state: readCheckpoint(directory.checkpoint),
  }
}

/** Names the input files that differ from their fingerprints. */
export async function changedFiles(run: Pick<RunFile, 'input'>): Promise<string[]> {
  const changed = []
  for (const file of run.input) if (!(await isUnchanged(file))) changed.push(file.name)
  return changed
}

/** Counts the input as it is now; without the hashes of the old IDs there is no difference to tell. */
async function countChanged(
  directory: RunDirectory,
  input: Input,
  filters: readonly Filter[],
): Promise<{ count: Count; difference: IdDifference | null }> {
  const difference = existsSync(directory.inputIds) ? new IdDifference(directory.inputIds) : null
  return { count: await countInput(input, filters, difference?.add), difference }
}

/**
 * Accepts the input as it is now for this run. Row numbers have lost their meaning: items that were called are matched
 * by ID, and recorded again under their new place in the input.
 */
export async function acceptChangedInput(
  directory: RunDirectory,
  input: Input,
  count: Count,
  filters: readonly Filter[],
): Promise<void> {
  const state = readCheckpoint(directory.checkpoint)
  if (state.batches.size > 0) {
    throw new UsageError(
      'deletion jobs of this run are still in progress, and the changed input does not tell which items they hold: put the old file back until they are finished.',
    )
  }
  const called = await calledItems(directory.checkpoint)
  const open = openItems(directory.checkpoint, state.open)
  // Written beside and renamed when complete: a process that is killed in between leaves the run as it was.
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
  for await (const batch of readItems(input, { filters })) {
    for (const { item, outcome } of batch) {
      if (outcome?.status === 'invalid' || outcome?.status === 'duplicate') continue
      const name = nameOf(item)
      const key = idKey(name)
      hashes.add(key)
      const before = called.get(key)
      const earlier = open.get(key)
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
    for (const item of batch) if (item.attempts > 0) called.set(idKey(item.id), item)
  }
  return called
}

/** Calls that settled nothing, by ID. */
function openItems(path: string, open: CheckpointState['open']): Map<string, PriorCalls> {
  const byId = new Map<string, PriorCalls>()
  if (open.size === 0) return byId
  scanCheckpoint(path, (line) => {
    if (line.kind === 'settled' || (line.kind !== 'other' && !open.has(line.ordinal))) return
    const event = line.event()
    // The ordinals of all events before are void.
    if (event.event === 'input-changed') byId.clear()
    if (!('ordinal' in event && 'id' in event)) return
    const earlier = open.get(event.ordinal)
    if (earlier) byId.set(idKey(event.id), earlier)
  })
  return byId
}
