import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { runDirectory } from '../checkpoint/directory.js'
import type { Summary } from '../checkpoint/summary.js'
import type { Job } from '../job.js'
import type { RunView } from '../monitor/view.js'
import { parseBaseUrl, refuseUnthrottled } from '../settings/addresses.js'
import { defaultSettings, type RunSettings } from '../settings/run-settings.js'
import { pseudonymsBy } from '../sources/pseudonyms.js'
import { systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { openLog } from '../system/log.js'
import { Stop } from '../system/stop.js'
import { createRun, directoryAt } from './create.js'
import { execute } from './execute.js'
import { type Host, openHost, type WhenBusy } from './host.js'
import { loadRunFile, type OpenRun, reopenRun } from './open.js'

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
  const { key, signal, maxItems = Number.POSITIVE_INFINITY, pollForMs, onStart } = options
  const { stateDirectory, redisUrl = null } = options
  const origin = parseBaseUrl(options.baseUrl, 'baseUrl')
  const stop = new Stop()
  const onAbort = () => stop.request({ exitCode: 75, because: 'stopped by its signal' })
  signal?.addEventListener('abort', onAbort, { once: true })
  if (signal?.aborted) onAbort()
  try {
    await using host = await openHost({ stateDirectory, redisUrl, redisTimeoutMs: 300_000 })
    await using run = await createOrReopen(options, origin, host)
    return await execute(run, {
      clock: systemClock,
      random: Math.random,
      key,
      openLedger: host.openLedger,
      stop,
      log: openLog({ path: run.directory.log, level: 'info' }),
      limits: { maxItems, confirmed: run.file.plan.calls, ...(pollForMs === undefined ? {} : { pollForMs }) },
      ...(onStart === undefined ? {} : { onStart }),
    })
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

async function createOrReopen(options: RunJobOptions, origin: string, host: Host): Promise<OpenRun> {
  const { job, name, flags = {}, input, hold, pseudonymKey } = options
  const directory = runDirectory(options.directory)
  const pseudonyms = pseudonymKey === undefined ? null : pseudonymsBy(pseudonymKey)
  const whenBusy: WhenBusy = (holder) => {
    throw new UsageError(`${name} is running on ${origin} already: process ${holder.pid} on ${holder.host}.`)
  }
  if (existsSync(directory.runFile)) {
    const file = loadRunFile(directory)
    if (file.instance !== origin)
      throw new UsageError(`${directory.path} holds a run on ${file.instance}, and baseUrl is ${origin}.`)
    if (file.pseudonyms !== pseudonyms?.check)
      throw new UsageError('pseudonymKey is not the one that this run began with.')
    const onChangedInput = (changes: string) => {
      throw new UsageError(`the input has changed since the run began: ${changes}.`)
    }
    const isDamageAccepted = false
    const nothing = () => {}
    return reopenRun(
      directory,
      file,
      job,
      origin,
      pseudonyms,
      host,
      whenBusy,
      onChangedInput,
      isDamageAccepted,
      nothing,
    )
  }
  const settings = { ...defaultSettings(job), ...options.settings }
  refuseUnthrottled(settings.limits, origin)
  return createRun(
    {
      job: { job, name, shortName: name },
      jobFlags: flags,
      settings,
      isSandbox: false,
      isPractice: false,
      isParallel: false,
      hold: filesOf(hold),
      retryOf: null,
      pseudonyms,
    },
    origin,
    directoryAt(options.directory),
    host,
    whenBusy,
    async () => ({ files: filesOf(input), live: null }),
    async () => {},
  )
}

function filesOf(names: readonly string[] = []): { name: string; path: string }[] {
  return names.map((name) => ({ name, path: resolve(name) }))
}
