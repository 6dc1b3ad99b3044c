import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { runDirectory } from '../checkpoint/directory.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { Summary } from '../checkpoint/summary.js'
import { recentlySubmittedOf } from '../filters/cooldown.js'
import { openSyncStateOf } from '../filters/settled-before.js'
import type { Job } from '../job.js'
import type { RunView } from '../monitor/view.js'
import { parseBaseUrl } from '../settings/addresses.js'
import { defaultSettings, type RunSettings } from '../settings/run-settings.js'
import { pseudonymsBy } from '../sources/pseudonyms.js'
import { systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { openLog } from '../system/log.js'
import { Stop } from '../system/stop.js'
import { changedFiles } from './changed-input.js'
import { openCoordination } from './coordination.js'
import { prepareRun } from './create.js'
import { execute } from './execute.js'
import { readAskedRun } from './loaded-run.js'

export interface RunJobOptions {
  job: Job
  /** Tells this job from others: one run of it at a time works on an instance. */
  name: string
  /** The values of the job's own flags. */
  flags?: Record<string, string>
  /** Files of IDs, in any format that the command line takes. */
  input: readonly string[]
  /** Files of IDs that are never touched. */
  hold?: readonly string[]
  baseUrl: string
  key: string
  /** The run's directory. A run that stopped there is resumed. */
  directory: string
  /** Where ledger and locks lie; shared by all that call the instance from this host. */
  stateDirectory: string
  /** A Redis through which all hosts that call the instance share their windows and locks. */
  redisUrl?: string
  settings?: Partial<RunSettings>
  /** Items to settle by calling, at most. */
  maxItems?: number
  /** How long to ask for what became of a batch before the run stops for now (10 minutes). */
  pollForMs?: number
  /** With it, checkpoint, report and log hold keyed hashes instead of the IDs. */
  pseudonymKey?: string
  /** Stops the run in order: calls in flight are finished and recorded. */
  signal?: AbortSignal
  /** Is handed a way to look at the run while it goes. */
  onStart?: (view: () => RunView) => void
}

/**
 * Runs a job as `ada-bulk run --yes` does, or resumes the run in that directory, and returns its summary. Nothing is
 * asked and nothing printed. Throws a UsageError when it cannot start.
 */
export async function runJob(options: RunJobOptions): Promise<Summary> {
  const { job, name, key, stateDirectory, signal } = options
  const origin = parseBaseUrl(options.baseUrl, 'baseUrl')
  const directory = runDirectory(options.directory)
  const pseudonyms = options.pseudonymKey === undefined ? null : pseudonymsBy(options.pseudonymKey)
  const asked = {
    pseudonyms,
    recent: recentlySubmittedOf(job, { stateDirectory, origin, isSandbox: false }),
    job: { job, name, shortName: name },
    jobFlags: options.flags ?? {},
    settings: { ...defaultSettings(job), ...options.settings },
    origin,
    isSandbox: false,
    isParallel: false,
    hold: filesOf(options.hold),
    retryOf: null,
    startedAt: new Date(),
  }
  const coordination = await openCoordination({
    stateDirectory,
    redisUrl: options.redisUrl ?? null,
    redisTimeoutMs: 300_000,
    clock: systemClock,
  })
  const wanted = {
    run: directory.name,
    startedAt: asked.startedAt.toISOString(),
    job: name,
    instance: origin,
    isParallel: false,
    directory,
  }
  const attempt = await coordination.lockRun(wanted)
  if (attempt.lock === null) {
    await coordination.close()
    throw new UsageError(
      `${name} is running on ${origin} already: process ${attempt.holder.pid} on ${attempt.holder.host}.`,
    )
  }
  const memory = openSyncStateOf({ ...asked, stateDirectory }, job, name, origin)
  const stop = new Stop()
  const onAbort = () => stop.request({ exitCode: 75, because: 'stopped by its signal' })
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    const run = existsSync(directory.runFile)
      ? readAskedRun(directory)
      : await prepareRun(
          asked,
          directory,
          { files: filesOf(options.input), live: null },
          memory,
          async () => {},
        )
    if (run.instance !== origin)
      throw new UsageError(`${directory.path} holds a run on ${run.instance}, and baseUrl is ${origin}.`)
    if (run.pseudonyms !== pseudonyms?.check)
      throw new UsageError('pseudonymKey is not the one that this run began with.')
    const changed = await changedFiles(run)
    if (changed.length > 0)
      throw new UsageError(`the input has changed since the run began: ${changed.join(', ')}.`)
    const { recent: cooldown } = asked
    const state = readCheckpoint(directory.checkpoint)
    const { lock } = attempt
    const open = { directory, file: run, job, state, lock, syncState: memory, cooldown, pseudonyms, origin }
    const { maxItems = Number.POSITIVE_INFINITY, pollForMs, onStart } = options
    return await execute(open, {
      key,
      openLedger: coordination.openLedger,
      stop,
      limits: { maxItems, confirmed: run.plan.calls, ...(pollForMs === undefined ? {} : { pollForMs }) },
      clock: systemClock,
      random: Math.random,
      log: openLog({ path: directory.log, level: 'info' }),
      ...(onStart === undefined ? {} : { onStart }),
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
    memory?.close()
    await attempt.lock.release()
    await coordination.close()
  }
}

function filesOf(names: readonly string[] = []): { name: string; path: string }[] {
  return names.map((name) => ({ name, path: resolve(name) }))
}
