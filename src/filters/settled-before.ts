import { createHash } from 'node:crypto'
import { basename, join } from 'node:path'
import type { Outcome, SettledItem } from '../item.js'
import type { Filter, Job, JobFlags } from '../job.js'
import type { ExportSpan } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory } from '../system/files.js'
import { updatedMsOf } from './record-dates.js'
import { refused } from './refusal.js'
import { FileMemory } from './settled-before-file.js'

/** Turns away what an earlier run of the job has settled, unless it was touched since and may be open again. */
export function notSettledBefore(memory: Pick<Memory, 'isSettled'>): Filter {
  return {
    name: 'memory',
    judge: (item) =>
      memory.isSettled(item.id, updatedMsOf(item.record())) ? refused('settled_before') : null,
  }
}

/**
 * What a job has settled on an instance, over all its runs. Data Export cannot tell that a conversation is ended, so
 * a nightly job would meet and call the same ones every night. It lies in the state directory.
 */
export interface Memory {
  /**
   * Everything that was last updated before this (Unix) was settled by earlier runs, so the next begins here; null at
   * first.
   */
  readonly settledToMs: number | null
  /** Whether a conversation that was last updated then needs no call any more. */
  isSettled(id: string, updatedMs: number | null): boolean
  /** Remembers what became of an item, or that it has to come up again. Survives a kill. Throws a LogWriteError. */
  remember(id: string, updatedMs: number | null, outcome: Outcome, atMs: number): void
  /**
   * The same for an item that a resumed run finds settled, if a crash came before it was remembered. It was updated at
   * `updatedFromMs` or later.
   */
  catchUp(settled: SettledItem, updatedFromMs: number): void
  /** A run over these is at its end. Moves `settledToMs` on, and forgets what cannot come up again. */
  finished(span: ExportSpan, startedMs: number): void
  close(): void
}

/**
 * Opens the memory of a job on an instance. `rule` tells apart jobs that pick by other filters. Throws a UsageError
 * when the state directory cannot be used.
 */
export function openMemory(stateDirectory: string, job: string, instance: string, rule: string): Memory {
  const hash = createHash('sha256').update(`${job}\n${instance}\n${rule}`).digest('hex').slice(0, 12)
  const directory = join(stateDirectory, 'memory', `${basename(job)}-${hash}`)
  try {
    makeDirectory(directory, 0o700)
    return new FileMemory(join(directory, 'settled.jsonl'), join(directory, 'night.json'))
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(
      `cannot use the job's memory in ${directory} (${code}). Name a writable place with ADA_BULK_STATE.`,
    )
  }
}

/**
 * The memory that a run works with: null when its job remembers nothing, or the instance is a sandbox of its own,
 * which is gone afterwards.
 */
export function openMemoryOf(
  run: { stateDirectory: string; jobFlags: JobFlags; isSandbox: boolean; isParallel: boolean },
  job: Pick<Job, 'remembers'>,
  jobName: string,
  instance: string,
): Memory | null {
  if (!job.remembers || run.isSandbox) return null
  if (run.isParallel)
    throw new UsageError('--parallel is not for a job that remembers: two runs would forget for each other.')
  // A longer or shorter --idle is the same rule at another time; another filter is another rule.
  const { idle: _idle, ...rule } = run.jobFlags
  return openMemory(run.stateDirectory, jobName, instance, JSON.stringify(rule))
}
