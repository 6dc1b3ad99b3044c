import { listRuns, type RunDirectory, readRunFile, runLockName } from '../checkpoint/directory.js'
import type { EndEvent } from '../checkpoint/events.js'
import { lastEvent } from '../checkpoint/read.js'
import { type LockHolder, lockHolder } from './lock-file.js'

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

/** The latest run that can be resumed; of a job and an instance, if named. A null instance is any sandbox's. */
export function findUnfinished(
  runsDirectory: string,
  wanted?: { job: string; instance: string | null },
): RunDirectory | null {
  return (
    listRuns(runsDirectory).find((directory) => {
      // Of a run that is over it does not matter what has become of its run.json.
      if (runState(directory).kind === 'finished') return false
      const run = readRunFile(directory)
      return (
        wanted === undefined ||
        (run.job === wanted.job &&
          (wanted.instance === null ? run.isSandbox : run.instance === wanted.instance))
      )
    }) ?? null
  )
}
