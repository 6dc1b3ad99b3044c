import { resolve } from 'node:path'
import type { Job } from '../job.js'
import { originOfHandle, parseBaseUrl } from '../settings/addresses.js'
import { apiKey, type Environment } from '../settings/environment.js'
import { defaultSettings, type RunSettings } from '../settings/run-settings.js'
import {
  parseCount,
  parseDuration,
  parseHours,
  parseLimits,
  parseMaxFailures,
  parsePositiveDuration,
  parseShare,
} from '../settings/values.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import type { InputFlags, InstanceFlags, KeyFlags, PacingFlags, StopFlags } from './options.js'

/** Where runs live. */
export function runsDirectory(flags: { 'runs-dir'?: string | undefined }, environment: Environment): string {
  return flags['runs-dir'] ?? (environment.ADA_BULK_RUNS || 'runs')
}

/** The settings of a new run: the flags, else the defaults. */
export function newSettings(
  flags: PacingFlags & Partial<Pick<InputFlags, 'format' | 'id-column' | 'accept-truncated'>>,
  job: Pick<Job, 'checksFirst' | 'idColumns'> & { operation: Pick<Job['operation'], 'limits'> },
): RunSettings {
  const isOfEndUsers = job.idColumns !== undefined
  if (isOfEndUsers && flags['check-first'])
    throw new UsageError('--check-first is for jobs that do something to conversations, one by one.')
  if (isOfEndUsers && flags.format === 'json')
    throw new UsageError('--format json: the input of this job is CSV, with one identifier a row.')
  const settings: RunSettings = {
    ...defaultSettings(job),
    ...(flags.format === undefined ? {} : { format: flags.format }),
    ...(isOfEndUsers ? { format: 'csv' } : {}),
    ...(flags['id-column'] === undefined ? {} : { idColumn: flags['id-column'] }),
    ...(flags['accept-truncated'] === undefined ? {} : { acceptTruncated: flags['accept-truncated'] }),
  }
  return changedSettings(settings, flags)
}

/** Node's timers fire at once when they are asked to wait for longer than 24 days. */
const longestTimeoutMs = 3_600_000

/** Settings with what the flags change. */
export function changedSettings(settings: RunSettings, flags: PacingFlags): RunSettings {
  const { limit, share, hours, concurrency, timeout, attempts } = flags
  const maxFailures = flags['max-failures']
  const maxOutage = flags['max-outage']
  const checkFirst = flags['check-first']
  return {
    ...settings,
    ...(limit === undefined ? {} : { limits: parseLimits(limit) }),
    ...(share === undefined ? {} : { share: parseShare(share) }),
    ...(hours === undefined ? {} : { hours: parseHours(hours) }),
    ...(concurrency === undefined ? {} : { concurrency: parseCount(concurrency, '--concurrency', 1, 1000) }),
    ...(timeout === undefined
      ? {}
      : { timeoutMs: parsePositiveDuration(timeout, '--timeout', longestTimeoutMs) }),
    ...(attempts === undefined ? {} : { attemptsMax: parseCount(attempts, '--attempts', 1, 100) }),
    ...(maxFailures === undefined ? {} : { maxFailures: parseMaxFailures(maxFailures) }),
    ...(checkFirst === undefined ? {} : { checkFirst }),
    ...(maxOutage === undefined ? {} : { maxOutageMs: parsePositiveDuration(maxOutage, '--max-outage') }),
  }
}

/** How far this execution goes. */
export function stopLimits(flags: Partial<StopFlags>): {
  maxItems: number
  maxDurationMs: number | null
  pollForMs?: number
} {
  const pollFor = flags['poll-for']
  const items = flags['max-items']
  const duration = flags['max-duration']
  return {
    maxItems: items === undefined ? Number.POSITIVE_INFINITY : parseCount(items, '--max-items'),
    maxDurationMs: duration === undefined ? null : parsePositiveDuration(duration, '--max-duration'),
    ...(pollFor === undefined ? {} : { pollForMs: parseDuration(pollFor, '--poll-for') }),
  }
}

/** What to say where an instance is needed and none is named. */
export const noInstance =
  'no instance: name it with --base-url https://acme.ada.support, --handle acme, or ADA_BASE_URL. To practise on a local one, use --sandbox.'

/** The origin that the flags or the environment name; null when they name none. */
export function instanceOrigin(flags: InstanceFlags, environment: Environment): string | null {
  const { handle, region } = flags
  const baseUrl = flags['base-url']
  if (handle !== undefined && baseUrl !== undefined) {
    throw new UsageError('--base-url and --handle both name the instance: give one of them.')
  }
  if (region !== undefined && handle === undefined) {
    throw new UsageError('--region goes with --handle; an address has the region in it.')
  }
  if (handle !== undefined) return originOfHandle(handle, region)
  if (baseUrl !== undefined) return parseBaseUrl(baseUrl)
  if (environment.ADA_BASE_URL) return parseBaseUrl(environment.ADA_BASE_URL, 'ADA_BASE_URL')
  return null
}

export function requiredKey(flags: KeyFlags, environment: Environment): string {
  const key = apiKey(environment, flags['api-key-file'])
  if (key === undefined) {
    throw new UsageError(
      'no API key: set ADA_API_KEY, or name a file that holds it with --api-key-file. (There is no flag for the key itself, as others could read it in the list of processes.) To practise without one, use --sandbox.',
    )
  }
  return key
}

/** The files that `--input` or `--hold` name, with where they lie. */
export function namedFiles(names: readonly string[] | undefined): InputFile[] {
  return (names ?? []).map((name) => ({ name, path: resolve(name) }))
}

export function requiredInput(flags: InputFlags): readonly string[] {
  if (flags.input !== undefined && flags.input.length > 0) return flags.input
  throw new UsageError('no input: name a file with --input, or read stdin with --input -.')
}
