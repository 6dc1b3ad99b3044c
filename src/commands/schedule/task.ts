import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Job } from '../../job.js'
import { type LoadedJob, loadJob } from '../../runs/jobs.js'
import { instanceOrigin, noInstance, refuseUnthrottled } from '../../settings/addresses.js'
import { type Environment, runsDirectory, stateDirectory, withEnvFile } from '../../settings/environment.js'
import { type FlagsOf, isPath, rowsOf, typedIn, valueIn } from '../../settings/flags.js'
import { keyVariables } from '../../settings/instances-file.js'
import { exportSpan, newSettings, type RunSettings, stopLimits } from '../../settings/run-settings.js'
import { UsageError } from '../../system/errors.js'
import { currentUser, version } from '../../system/host.js'
import { messageOf } from '../../system/text.js'
import { isLiveInput, requiredInput } from '../input.js'
import { jobFlagsOf } from '../job-flags.js'
import { viewRequest } from '../request.js'
import type { Terminal } from '../terminal.js'
import { volumePath } from './kubernetes.js'
import type { Cluster, Task } from './schedule.js'

export type ScheduleFlags = FlagsOf<'schedule'> & { job: string; erase?: boolean }

/** The task that the flags ask for, checked as `run` checks it. No key is needed, and no input read. */
export async function scheduledTask(
  flags: ScheduleFlags,
  isInCluster: boolean,
  terminal: Terminal,
): Promise<Task> {
  const { job, shortName } = await loadJob(flags.job)
  const { timeoutMs, limits } = checkedSettings(flags, job)
  const at = valueIn(flags, 'at')
  const cluster = clusterOf(flags, isInCluster)
  const environment = environmentOf(flags, terminal)
  const isNamed = flags.sandbox || flags.instances !== undefined
  const instance = isNamed ? null : instanceOrigin(flags, environment)
  if (!isNamed && instance === null) throw new UsageError(noInstance)
  refuseUnthrottled(limits, instance)
  const directory = isInCluster ? volumePath : process.cwd()
  const runs = resolve(directory, runsDirectory(flags, isInCluster ? {} : environment))
  const state = isInCluster ? join(volumePath, 'state') : resolve(stateDirectory(environment))
  const asked: ScheduleFlags = {
    ...flags,
    ...(flags.handle !== undefined || instance === null ? {} : { 'base-url': instance }),
    // A pod does not see files of this machine: there, the key is a Secret.
    ...(isInCluster ? { 'api-key-file': undefined, 'env-file': undefined } : {}),
    'runs-dir': runs,
    yes: true,
    continue: true,
  }
  if (!isInCluster) noticeWhatIsMissing(flags, terminal)
  return {
    name: typedIn(flags, 'name') ?? defaultName(shortName),
    at,
    program: [process.execPath, '--', programPath(terminal.environment)],
    words: scheduledWords(asked, job, directory).map(refuseLineBreak),
    writes: [runs, state, ...ownPlaces(flags).map((path) => resolve(directory, path))],
    stateDirectory: state,
    secrets: secretsOf(asked, isInCluster),
    graceSeconds: Math.ceil(timeoutMs / 1000) + 30,
    stopsItself: flags['max-items'] !== undefined || flags['max-duration'] !== undefined,
    user: currentUser(),
    timeZone: new Intl.DateTimeFormat().resolvedOptions().timeZone,
    cluster,
  }
}

/** Variables that a run needs, and that no file of its flags holds. */
function secretsOf(asked: ScheduleFlags, isInCluster: boolean): string[] {
  if (asked['env-file'] !== undefined && !isInCluster) return []
  const hasKey = asked.sandbox || asked['api-key-file'] !== undefined
  const keys = asked.instances === undefined ? ['ADA_API_KEY'] : keyVariables(asked.instances)
  return [...(hasKey ? [] : keys), ...(asked.pseudonymise ? ['ADA_BULK_PSEUDONYM_KEY'] : [])]
}

/** Directories that only this run writes into. */
function ownPlaces(flags: ScheduleFlags): string[] {
  const metricsFile = flags['metrics-file']
  return [
    ...(flags['run-dir'] === undefined ? [] : [flags['run-dir']]),
    ...(metricsFile === undefined ? [] : [dirname(metricsFile)]),
  ]
}

/** Refuses whatever `run` would refuse to start with, as no person can be asked then. */
function checkedSettings(flags: ScheduleFlags, job: LoadedJob['job']): RunSettings {
  const settings = newSettings(flags, job)
  stopLimits(flags)
  if (flags.erase) refuseErasing(flags)
  job.filters?.(jobFlagsOf(job, flags), { nowMs: Date.now() })
  exportSpan(flags, Date.now(), () => {})
  valueIn(flags, 'page-size')
  viewRequest(flags)
  if (flags.instances === undefined && !isLiveInput(flags, job) && requiredInput(flags).includes('-')) {
    throw new UsageError('--input -: a scheduled run has no stdin. Name a file.')
  }
  return settings
}

function refuseErasing(flags: ScheduleFlags): void {
  if (flags.instances !== undefined)
    throw new UsageError('--erase is for one instance at a time: leave --instances out.')
  if (flags['yes-erase']) return
  throw new UsageError(
    '--erase asks a question, and no person is there to answer when it starts: say --yes-erase to erase end users without it.',
  )
}

function clusterOf(flags: ScheduleFlags, isInCluster: boolean): Cluster {
  const { image, namespace, secret } = flags
  const volumeClaim = flags['volume-claim']
  const [misplaced] = Object.entries({ image, namespace, secret, 'volume-claim': volumeClaim }).filter(
    ([, value]) => value !== undefined,
  )
  if (misplaced !== undefined && !isInCluster) {
    throw new UsageError(`--${misplaced[0]} goes with --as kubernetes.`)
  }
  return {
    image: image ?? `ada-bulk:${version}`,
    namespace: typedIn(flags, 'namespace'),
    volumeClaim: valueIn(flags, 'volume-claim'),
    secret: valueIn(flags, 'secret'),
  }
}

function defaultName(job: string): string {
  const words = job.toLowerCase().match(/[a-z0-9]+/g) ?? []
  return ['ada-bulk', ...words].join('-').slice(0, 52).replace(/-$/, '')
}

/** The file of variables may belong to another user; then the flags have to name the instance. */
function environmentOf(flags: ScheduleFlags, terminal: Terminal): Environment {
  try {
    return withEnvFile(terminal.environment, flags['env-file'])
  } catch (error) {
    if (!flags.sandbox && instanceOrigin(flags, terminal.environment) === null) throw error
    terminal.notice(messageOf(error))
    return terminal.environment
  }
}

function noticeWhatIsMissing(flags: ScheduleFlags, terminal: Terminal): void {
  for (const flag of ['input', 'hold', 'api-key-file'] as const) {
    const missing = [flags[flag] ?? []].flat().filter((path) => !existsSync(path))
    for (const path of missing) terminal.notice(`--${flag} ${path}: is not there yet.`)
  }
  if (flags.input !== undefined && !flags['accept-changed-input']) {
    terminal.notice(
      'If the input is replaced between two starts, add --accept-changed-input: else a run that was stopped waits for a person.',
    )
  }
  const secrets = ['redis-url', 'notify', 'heartbeat'] as const
  for (const flag of secrets.filter((flag) => flags[flag] !== undefined)) {
    terminal.notice(`--${flag}: if its address is secret, put it into a file for --env-file instead.`)
  }
  if (terminal.environment.ADA_BULK_REDIS_URL && flags['redis-url'] === undefined) {
    terminal.notice(
      'ADA_BULK_REDIS_URL is set here: put it into a file for --env-file, or what is started will not share.',
    )
  }
  if (flags['run-dir'] !== undefined) {
    terminal.notice(
      '--run-dir: all starts go on with the one run in it. Leave it out for a new run each time.',
    )
  }
}

function refuseLineBreak(word: string): string {
  if (!/\p{Cc}/u.test(word)) return word
  throw new UsageError(
    `${JSON.stringify(word)}: has a line break or the like in it, which no schedule can hold.`,
  )
}

/** This program: as it is on the PATH, which outlives an update, else where it lies. */
function programPath({ PATH = '' }: Environment): string {
  const own = fileURLToPath(new URL('../../cli.js', import.meta.url))
  const candidates = PATH.split(delimiter)
    // A link of npx disappears with its cache.
    .filter((directory) => !/[\\/]node_modules[\\/]\.bin[\\/]?$/.test(directory))
    .map((directory) => resolve(directory, 'ada-bulk'))
  return candidates.find((path) => existsSync(path) && realpathSync(path) === own) ?? own
}

/** `run`, the job and its flags, as they would be typed in any directory. */
function scheduledWords(flags: ScheduleFlags, job: Job, directory: string): string[] {
  const passed = rowsOf('schedule').filter(({ commands }) => commands.includes('run'))
  const paths = new Set<string>(passed.filter(isPath).map(({ flag }) => flag))
  const whole = (name: string, value: unknown) =>
    paths.has(name) ? resolve(directory, String(value)) : String(value)
  return [
    'run',
    isJobFile(flags.job) ? resolve(directory, flags.job) : flags.job,
    ...[...Object.keys(job.flags ?? {}), ...passed.map(({ flag }) => flag)].flatMap((name) => {
      const value = (flags as Record<string, unknown>)[name]
      const values = value === undefined ? [] : Array.isArray(value) ? value : [value]
      return values.flatMap((one) => wordsOf(name, typeof one === 'boolean' ? one : whole(name, one)))
    }),
  ]
}

const isJobFile = (job: string) => /[/\\]|\.(c|m)?(j|t)s$/.test(job)

/** A value that is empty or looks like a flag is tied to its flag by `=`. */
function wordsOf(name: string, value: string | boolean): string[] {
  if (typeof value === 'boolean') return [`--${value ? '' : 'no-'}${name}`]
  return value === '' || value.startsWith('-') ? [`--${name}=${value}`] : [`--${name}`, value]
}
