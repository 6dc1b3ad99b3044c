import type { RunDirectory } from '../checkpoint/directory.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import type { SyncState } from '../filters/settled-before.js'
import type { Notifier } from '../monitor/notifier.js'
import { requestedMetricsFile, requestedNotifiers } from '../monitor/notifier-addresses.js'
import type { NewDirectory, NewInput, NewRun } from '../runs/create.js'
import type { Host, HostOptions } from '../runs/host.js'
import type { PlanFile } from '../runs/plan-file.js'
import { type Environment, redisUrl, stateDirectory, withEnvFile } from '../settings/environment.js'
import { type Flags, valueIn } from '../settings/flags.js'
import { changedSettings, type RunSettings, stopLimits } from '../settings/run-settings.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import { logLevels } from '../system/log.js'

/** What `startRun` is asked for. Parsed from the flags once; no flags travel further. */
export interface RunRequest {
  run: NewRunRequest | OldRunRequest
  /** Where calls go to; null for a sandbox that starts with the run. */
  origin: string | null
  /** Throws a UsageError when there is none. */
  key: () => string
  host: HostOptions
  limits: ReturnType<typeof stopLimits>
  isConfirmed: boolean
  /** The same for the run that erases end users. */
  isErasureConfirmed: boolean
  /** Waits while another process holds the lock. */
  isPatient: boolean
  view: RunViewRequest
  /** Applies the settings that were typed. */
  withChanges: (settings: RunSettings) => RunSettings
}

export interface NewRunRequest extends Omit<NewRun, 'isPractice'> {
  newDirectory: () => NewDirectory
  /** The plan that the run must match, and its path. */
  plan: { path: string; file: PlanFile } | null
  /** Conversations in the export of a sandbox that starts with the run. */
  sandboxConversations?: number
  input: (place: InputPlace) => Promise<NewInput>
}

/** What an input that has to be made first, by a download or a copy, is made with. */
export interface InputPlace {
  /** Where files of the input are kept. */
  directory: string
  syncState: SyncState | null
  nowMs: number
  origin: string
  key: string
  host: Pick<Host, 'openLedger'>
}

export interface OldRunRequest {
  directory: RunDirectory
  file: RunFile
  acceptsChangedInput: boolean
  acceptsDamage: boolean
  /** Typed values replace what `throttle` asked for before. */
  replaces: { share: boolean; limits: boolean }
  pseudonyms: () => Pseudonyms | null
}

export interface RunViewRequest {
  progress: NonNullable<Flags['progress']>
  /** A level that was typed also shows the log on stderr. */
  logLevel: string | undefined
  isQuiet: boolean
}

export interface NotifierRequest {
  /** How the job was typed; null when it was not. */
  job: string | null
  notifiers: readonly Notifier[]
  /** A notifier that cannot be used: the others are notified of that. */
  fault: unknown
}

/** The part of a request that `run`, `resume` and `retry` share. */
export function commonRequest(
  flags: Flags,
  environment: Environment,
  isSandbox: boolean,
): Omit<RunRequest, 'run' | 'origin' | 'key'> {
  return {
    host: hostOptions(flags, environment, isSandbox),
    limits: stopLimits(flags),
    isConfirmed: flags.yes ?? false,
    isErasureConfirmed: flags['yes-erase'] ?? false,
    isPatient: flags.wait ?? false,
    view: viewRequest(flags),
    withChanges: (settings) => changedSettings(settings, flags),
  }
}

/** A sandbox is used by one command only, so it needs no Redis. */
export function hostOptions(flags: Flags, environment: Environment, isSandbox: boolean): HostOptions {
  return {
    stateDirectory: stateDirectory(environment),
    redisUrl: isSandbox ? null : redisUrl(flags, environment),
    redisTimeoutMs: valueIn(flags, 'redis-timeout'),
  }
}

/** Throws a UsageError for a log level that does not exist. */
export function viewRequest(flags: Flags): RunViewRequest {
  const logLevel = flags['log-level']
  if (logLevel !== undefined && !(logLevels as readonly string[]).includes(logLevel))
    throw new UsageError(`--log-level ${logLevel}: not a level. There are ${logLevels.join(', ')}.`)
  const isQuiet = flags.quiet ?? false
  return { progress: isQuiet ? 'none' : (flags.progress ?? 'auto'), logLevel, isQuiet }
}

/** The notifiers that flags or variables ask for. `job` is how it was typed. */
export function notifierRequest(flags: Flags, environment: Environment, job: string | null): NotifierRequest {
  const all = withEnvFile(environment, flags['env-file'])
  const notifiers = requestedNotifiers(flags, all)
  try {
    return { job, notifiers: [...notifiers, ...requestedMetricsFile(flags, all)], fault: null }
  } catch (fault) {
    return { job, notifiers, fault }
  }
}

/** What a plan calls the sandbox, as the address of the next one is not known. */
export const sandboxInstance = 'sandbox'

/** The second part of a run failed; the first part is to be shown. */
export class SecondPartFailed extends Error {
  constructor(
    readonly before: Summary[],
    override readonly cause: unknown,
  ) {
    super()
  }
}
