import { isDeepStrictEqual } from 'node:util'
import { listRuns, type RunDirectory, readRunFile, runLockName } from '../checkpoint/directory.js'
import type { EndEvent } from '../checkpoint/events.js'
import { lastEvent } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { UsageError } from '../system/errors.js'
import { type LockHolder, lockHolder } from './lock-file.js'
import { loadRunFile } from './open.js'

/** Where a run stands, as far as it can be told without reading it all. */
export type RunState =
  /** A process is at work on it. */
  | { kind: 'running'; holder: LockHolder }
  /** Every item is settled. */
  | { kind: 'finished'; end: EndEvent }
  /** Stopped in order; can be resumed. */
  | { kind: 'stopped'; end: EndEvent }
  /** Its process died; can be resumed. */
  | { kind: 'crashed' }

export function runState(directory: RunDirectory): RunState {
  const holder = lockHolder(directory.path, runLockName)
  if (holder !== null) return { kind: 'running', holder }
  const last = lastEvent(directory.checkpoint)
  if (last?.event === 'finished') return { kind: 'finished', end: last }
  if (last?.event === 'stopped') return { kind: 'stopped', end: last }
  return { kind: 'crashed' }
}

/** What makes two runs the same request. A null instance is any sandbox's; null input is a download. */
export interface RunIdentity {
  job: string
  instance: string | null
  /** Undefined matches any. */
  jobFlags?: Readonly<Record<string, string>>
  /** Files of the input as the person names them. Undefined matches any. */
  input?: readonly string[] | null
}

/** The latest run that can be resumed; with `wanted`, the latest that was requested in the same way. */
export function findUnfinished(runsDirectory: string, wanted?: RunIdentity): RunDirectory | null {
  return (
    listRuns(runsDirectory).find((directory) => {
      // The run.json of a finished run does not matter.
      if (runState(directory).kind === 'finished') return false
      if (wanted === undefined) return readRunFile(directory) !== null
      return isSameRequest(directory, wanted)
    }) ?? null
  )
}

/**
 * Whether the run was requested in the same way. A run.json that cannot be read is no such run; an edited one of the same
 * job and instance may be, so that resuming it names the edit.
 */
export function isSameRequest(directory: RunDirectory, wanted: RunIdentity): boolean {
  const run = unlessUnusable(() => readRunFile(directory))
  if (run === null || run.job !== wanted.job || run.retryOf !== null) return false
  if (wanted.instance === null ? !run.isSandbox : run.instance !== wanted.instance) return false
  const input = run.live === null ? run.input.map(({ name }) => name) : null
  const isSame =
    (wanted.jobFlags === undefined || isDeepStrictEqual(run.jobFlags, { ...wanted.jobFlags })) &&
    (wanted.input === undefined || isDeepStrictEqual(input, wanted.input))
  return isSame || unlessUnusable(() => loadRunFile(directory)) === null
}

function unlessUnusable(read: () => RunFile): RunFile | null {
  try {
    return read()
  } catch (error) {
    if (error instanceof UsageError) return null
    throw error
  }
}
