import type { RunDirectory } from '../checkpoint/directory.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { type CheckpointState, readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import { acceptChangedInput, changedFiles, countChanged } from '../runs/changed-input.js'
import { filtersOfRun } from '../runs/filters.js'
import type { IdRules } from '../sources/items.js'
import { UsageError } from '../system/errors.js'
import { inDigits } from '../system/text.js'
import type { Shell } from './shell.js'

export interface Current {
  run: RunFile
  state: CheckpointState
}

/** The run with its input checked: a changed one is named, and taken only if the person says so. */
export async function withInputAsItIs(
  directory: RunDirectory,
  asked: RunFile,
  job: Job,
  memory: SyncState | null,
  isAccepted: boolean,
  ids: IdRules,
  shell: Shell,
): Promise<Current> {
  const state = readCheckpoint(directory.checkpoint)
  const run = withAcceptedInput(asked, state)
  const changed = await changedFiles(run)
  if (changed.length === 0) return { run, state }
  const { filters } = await filtersOfRun(run, job, memory)
  const difference = await countChanged(directory, run, filters, ids)
  const { count } = difference
  const words =
    difference.added === null
      ? 'which IDs, cannot be told'
      : `+${inDigits(difference.added)} new, −${inDigits(difference.gone)} gone`
  if (!isAccepted) {
    throw new UsageError(
      `the input has changed since the run began: ${changed.join(', ')} (${words}). Put the old file back, or go on with the new one, matched by ID, with --accept-changed-input.`,
    )
  }
  shell.notice(`Going on with the changed input ${changed.join(', ')} (${words}).`)
  await acceptChangedInput(directory, run, count, filters, ids)
  return {
    run: {
      ...run,
      input: count.input,
      plan: { read: count.read, calls: count.calls },
      duplicates: undefined,
    },
    state: readCheckpoint(directory.checkpoint),
  }
}
