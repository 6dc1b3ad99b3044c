import { join } from 'node:path'
import { type RunDirectory, readRunFile, runDirectory } from '../checkpoint/directory.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { settledItems } from '../checkpoint/items.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { conversationsColumn } from '../filters/hold.js'
import { leaveColumn } from '../filters/identifiers.js'
import type { SettledItem } from '../item.js'
import { idKey, readEndUserId, textOf } from '../sources/identifier.js'
import { openInput } from '../sources/input.js'
import { type Input, readItems } from '../sources/items.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { writeFileAtomically } from '../system/files.js'
import { changedFiles } from './changed-input.js'
import { idRulesOfRun } from './id-rules.js'
import { loadJob } from './jobs.js'
import { findUnfinished, runState } from './state.js'

export const erasureJob = 'erase-end-users'

/** Whether a second run follows this one, which erases the end users behind what it has ended. */
export function isErasing({ jobFlags }: Pick<RunFile, 'jobFlags'>): boolean {
  return jobFlags.erase === 'true'
}

/** The second part lies beside the run that it follows. */
export function erasureOf(directory: RunDirectory): RunDirectory {
  return runDirectory(`${directory.path}-erasure`)
}

/** The latest unfinished second part of a sweep. */
export function unfinishedErasure(runs: string, instance: string | null): RunDirectory | null {
  const found = findUnfinished(runs, { job: erasureJob, instance })
  return found !== null && readRunFile(found).follows !== undefined ? found : null
}

/** The end users that a finished sweep leaves to erase; a sentence says why there are none. */
export async function endUsersToErase(directory: RunDirectory, sweep: RunFile): Promise<EndUser[] | string> {
  if (runState(directory).kind !== 'finished')
    return 'Nobody is erased before every conversation is settled: resume the run first.'
  const endUsers = await endUsersOf(directory, sweep)
  return endUsers.length === 0 ? 'Nothing was ended, so there is nobody to erase.' : endUsers
}

async function endUsersOf(directory: RunDirectory, sweep: RunFile): Promise<EndUser[]> {
  const { input, settings } = withAcceptedInput(sweep, readCheckpoint(directory.checkpoint))
  const changed = await changedFiles({ input })
  if (changed.length > 0) {
    throw new UsageError(
      `${changed.join(', ')} changed since ${sweep.run} has ended its conversations, so nobody can tell whose they were. Put the old file back, and resume ${sweep.run}.`,
    )
  }
  const { job } = await loadJob(sweep.job)
  const ids = idRulesOfRun(sweep, job)
  return endUsersBehind(directory.checkpoint, await openInput(input, settings, ids))
}

const fileName = 'end-users.csv'

/** Writes the input of the second part into its directory. */
export function writeEndUsers(endUsers: readonly EndUser[], directory: string): InputFile {
  const rows = endUsers.map(({ id, leave, conversations }) =>
    [id, leave, JSON.stringify(conversations)].map((cell) => `"${cell.replaceAll('"', '""')}"`).join(),
  )
  const path = join(directory, fileName)
  const header = ['end_user_id', leaveColumn, conversationsColumn].join()
  writeFileAtomically(path, `${header}\n${rows.join('\n')}\n`)
  return { name: fileName, path }
}

/** An end user with at least one conversation that the run has ended. */
export interface EndUser {
  /** Empty where the record of a conversation names none. */
  id: string
  /** Why the end user must not be erased; empty otherwise. */
  leave: string
  /** The conversations that were ended. */
  conversations: string[]
}

/** What a conversation's outcome means for its end user. */
type Meaning = 'ended' | 'repeated' | 'on_hold' | 'conversation_not_ended' | 'other_conversations'

/** The reasons not to erase, the strongest last. */
const reasons: readonly string[] = ['', 'other_conversations', 'conversation_not_ended', 'on_hold']

/**
 * The end users behind what a run has ended. Erasing takes every conversation of an end user, so one that has another
 * conversation in the input which is on hold, could not be ended or was left out, is not erased.
 */
export async function endUsersBehind(checkpoint: string, input: Input): Promise<EndUser[]> {
  const meanings = new Map<number, Meaning>()
  for await (const batch of settledItems(checkpoint)) {
    for (const settled of batch) {
      const meaning = meaningOf(settled)
      if (meaning !== 'ended') meanings.set(settled.ordinal, meaning)
    }
  }
  const endUsers = new Map<string, EndUser>()
  const unnamed: EndUser[] = []
  for await (const batch of readItems(input, { isFreeOfDuplicates: true })) {
    for (const { item } of batch) {
      const meaning = meanings.get(item.ordinal) ?? 'ended'
      if (meaning === 'repeated') continue
      const { id } = readEndUserId(textOf(item.record().end_user_id))
      const isEnded = meaning === 'ended'
      if (id === '') {
        if (isEnded) unnamed.push({ id, leave: '', conversations: [item.id] })
        continue
      }
      const endUser = endUsers.get(idKey(id)) ?? { id, leave: '', conversations: [] }
      endUsers.set(idKey(id), endUser)
      if (isEnded) endUser.conversations.push(item.id)
      else if (reasons.indexOf(meaning) > reasons.indexOf(endUser.leave)) endUser.leave = meaning
    }
  }
  return [...endUsers.values(), ...unnamed].filter(({ conversations }) => conversations.length > 0)
}

function meaningOf({ status, reason }: SettledItem): Meaning {
  switch (status) {
    case 'succeeded':
      return 'ended'
    case 'duplicate':
      return 'repeated'
    case 'filtered':
      return reason === 'on_hold' ? 'on_hold' : 'other_conversations'
    default:
      return 'conversation_not_ended'
  }
}
