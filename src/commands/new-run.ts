import { existsSync, rmSync } from 'node:fs'
import { newRunDirectory, type RunDirectory } from '../checkpoint/directory.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { type RecentlySubmitted, recentlySubmittedOf } from '../filters/cooldown.js'
import { openSyncStateOf, type SyncState } from '../filters/settled-before.js'
import { itemsPerCall } from '../job.js'
import type { Notifiers } from '../monitor/notifiers.js'
import type { Coordination, RunLock } from '../runs/coordination.js'
import { type Asked, type NewInput, prepareRun } from '../runs/create.js'
import { type PlanFile, refuseFoundOtherwise } from '../runs/plan-file.js'
import { recentCallsAgoMs } from '../runs/recent-calls.js'
import { sandboxKey } from '../sandbox/options.js'
import { isLoopback } from '../settings/addresses.js'
import type { Flags } from '../settings/flags.js'
import { begin } from './begin.js'
import { confirm } from './confirm.js'
import { forecast, forecastText } from './forecast.js'
import { asUsageError, makeOwnDirectory } from './own-directory.js'
import type { Shell } from './shell.js'
import { leaveOnSignals } from './signals.js'
import { takeLocks } from './take-locks.js'

/** What a new run is made of. */
export interface NewRun extends Omit<Asked, 'startedAt' | 'judgedAt'> {
  key: string
  isConfirmed: boolean
  runsDirectory: string
  /** Tells runs of one job that begin together from each other, in the names of their directories. */
  label?: string | undefined
  /** Instead of a directory named after job and time. */
  runDirectory: string | undefined
  coordination: Coordination
  maxItems: number
  maxDurationMs: number | null
  notices: Notifiers
  pollForMs?: number
  /** The plan that the run goes by, and where it lies. */
  planned?: { path: string; plan: PlanFile }
  /** Is told where the run lies. */
  onDirectory?: (directory: RunDirectory) => void
  /** The input; may put files into the run's directory first. `nowMs` is when the run began. */
  input(directory: RunDirectory, memory: SyncState | null, nowMs: number): Promise<NewInput>
}

/** Counts, asks, and begins. Until the person has agreed nothing is sent and nothing stays behind. */
export async function beginNewRun(newRun: NewRun, flags: Flags, shell: Shell): Promise<number> {
  const { job, origin, label, coordination } = newRun
  const ownName = label === undefined ? job.shortName : `${job.shortName}-${label}`
  const startedAt = new Date()
  const isNew = newRun.runDirectory === undefined || !existsSync(newRun.runDirectory)
  const directory = newRunDirectory(
    newRun.runDirectory ?? makeOwnDirectory(newRun.runsDirectory, ownName, startedAt),
  )
  newRun.onDirectory?.(directory)
  const leaveNothing = () => {
    if (!isNew) return
    try {
      rmSync(directory.path, { recursive: true, force: true })
    } catch {
      // Below something that is no directory nothing was made.
    }
  }
  const endListening = leaveOnSignals(leaveNothing)
  let left: number | null = null
  let lock: RunLock | null = null
  let memory: SyncState | null = null
  try {
    let agreed: Agreed
    try {
      const { isParallel } = newRun
      const own = { run: directory.name, startedAt: startedAt.toISOString(), directory }
      const wanted = { ...own, job: job.name, shortName: job.shortName, instance: origin, isParallel }
      lock = await takeLocks(coordination, wanted, flags.wait, shell)
      if (lock === null) {
        leaveNothing()
        return 75
      }
      memory = openSyncStateOf(
        { ...newRun, stateDirectory: coordination.stateDirectory },
        job.job,
        job.name,
        origin,
      )
      agreed = await agree(newRun, directory, memory, startedAt, flags, shell)
    } catch (error) {
      leaveNothing()
      throw asUsageError(error, directory.path)
    } finally {
      left = endListening()
    }
    if (left !== null) {
      leaveNothing()
      return left
    }
    const state = readCheckpoint(directory.checkpoint)
    const { run: file, confirmed, cooldown } = agreed
    const { pseudonyms = null } = newRun
    const run = {
      directory,
      file,
      job: job.job,
      state,
      lock,
      syncState: memory,
      cooldown,
      pseudonyms,
      origin,
    }
    return await begin({ ...newRun, run, confirmed }, flags, shell)
  } finally {
    memory?.close()
    await lock?.release()
  }
}

interface Agreed {
  run: RunFile
  /** Items that may be called. */
  confirmed: number
  cooldown: RecentlySubmitted | null
}

/** Counts, asks, and writes run.json. */
async function agree(
  newRun: NewRun,
  directory: RunDirectory,
  memory: SyncState | null,
  startedAt: Date,
  flags: Flags,
  shell: Shell,
): Promise<Agreed> {
  const { job, settings, origin, planned } = newRun
  const { operation } = job.job
  const judgedAt = planned?.plan.judgedAt
  const nowMs = judgedAt === undefined ? startedAt.getTime() : Date.parse(judgedAt)
  const input = await newRun.input(directory, memory, nowMs)
  const { stateDirectory } = newRun.coordination
  const recent = recentlySubmittedOf(job.job, { ...newRun, stateDirectory })
  // No instance of Ada's takes that key.
  const isPractice = newRun.key === sandboxKey && isLoopback(new URL(origin).hostname)
  const asked = { ...newRun, isPractice, recent, startedAt, ...(judgedAt === undefined ? {} : { judgedAt }) }
  let confirmed = 0
  const run = await prepareRun(asked, directory, input, memory, async ({ count, hold }) => {
    const counted = { input: count.input, hold, plan: { read: count.read, calls: count.calls } }
    if (planned !== undefined) refuseFoundOtherwise(planned.path, planned.plan, counted)
    const plan = forecast(job.shortName, origin, count, settings, newRun.maxItems, {
      itemsPerCall: itemsPerCall(operation),
      hold: newRun.retryOf === null ? hold : [],
      agoMs: newRun.isSandbox ? [] : recentCallsAgoMs(stateDirectory, origin, operation),
    })
    if (!flags.quiet) shell.notice(forecastText(plan, settings, operation))
    if (!newRun.isConfirmed && plan.items > 0) await confirm(shell, plan.items, operation, origin)
    confirmed = newRun.isConfirmed ? count.calls : plan.items
  })
  return { run, confirmed, cooldown: recent }
}
