import type { RunDirectory } from '../checkpoint/directory.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { RecentlySubmitted } from '../filters/cooldown.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import type { RunLock } from './coordination.js'

/** A run that this process holds the lock of: new, with its run.json just written, or reopened. */
export interface OpenRun {
  directory: RunDirectory
  /** With the input as it is now. */
  file: RunFile
  job: Job
  /** What the checkpoint says; kept up to date while the run executes. */
  state: CheckpointState
  lock: RunLock
  /** What earlier runs of the job have settled; null for a job that does not remember. */
  syncState: SyncState | null
  /** The end users that were submitted in the last seven days; null for a job that need not know. */
  cooldown: RecentlySubmitted | null
  /** Null where the record keeps the IDs. */
  pseudonyms: Pseudonyms | null
  /** Where calls go to: the instance, or the sandbox in its place. */
  origin: string
}
