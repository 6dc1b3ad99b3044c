import { existsSync } from 'node:fs'
import { type RunDirectory, runDirectory } from '../checkpoint/directory.js'
import { directoryAt, directoryWithin } from '../runs/create.js'
import { unfinishedErasure } from '../runs/follow-up.js'
import { type LoadedJob, loadJob } from '../runs/jobs.js'
import { loadRunFile } from '../runs/open.js'
import { type PlanFile, readPlanFile, refuseAskedOtherwise } from '../runs/plan-file.js'
import { findUnfinished, isSameRequest, type RunIdentity } from '../runs/state.js'
import { sandboxKey } from '../sandbox/options.js'
import { instanceOrigin, noInstance, refuseUnthrottled } from '../settings/addresses.js'
import { requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { changedSettings, newSettings, type RunSettings, type stopLimits } from '../settings/run-settings.js'
import { requiredPseudonyms } from '../sources/pseudonyms.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { refuseErasingUnasked, refuseUnasked } from './confirm.js'
import {
  inputFiles,
  isLiveInput,
  liveInput,
  namedFiles,
  requiredInput,
  sandboxConversations,
} from './input.js'
import { runInstances } from './instances.js'
import { jobFlagsOf } from './job-flags.js'
import { command as plan } from './plan.js'
import {
  commonRequest,
  type NewRunRequest,
  notifierRequest,
  type RunRequest,
  sandboxInstance,
} from './request.js'
import { resumeRequest } from './resume.js'
import { showRuns } from './show.js'
import { startRun, whenIdle } from './start.js'
import type { Terminal } from './terminal.js'

export type RunFlags = FlagsOf<'run'> & { job: string; label?: string; erase?: boolean }

export const command: Command = {
  examples: [
    ['run end-conversations -i samples/conversations.csv --sandbox --yes', 'Practise'],
    ['run end-conversations -i samples/conversations.csv --sandbox --yes --max-items 10', 'Try ten first'],
  ],

  async run(flags: RunFlags, terminal) {
    const { instances, erase: isErasing = false } = flags
    if (instances !== undefined && isErasing)
      throw new UsageError('--erase is for one instance at a time: leave --instances out.')
    if (flags['dry-run']) {
      planOf(flags)
      return plan.run(flags, terminal)
    }
    if (instances !== undefined) return runInstances({ ...flags, instances }, terminal, startFrom)
    return showRuns(startFrom(flags, terminal), flags, () => isErasing, terminal)
  },
}

function startFrom(flags: RunFlags, terminal: Terminal) {
  const notifiers = notifierRequest(flags, terminal.environment, flags.job)
  return startRun(() => requestOf(flags, terminal), notifiers, terminal)
}

async function requestOf(flags: RunFlags, terminal: Terminal): Promise<RunRequest> {
  const planned = planOf(flags)
  const environment = withEnvFile(terminal.environment, flags['env-file'])
  const job = await loadJob(flags.job)
  const settings = settingsOf(flags, job, planned)
  const jobFlags = jobFlagsOf(job.job, { ...planned?.jobFlags, ...flags })
  const isSandbox = flags.sandbox ?? false
  const request = commonRequest(flags, environment, isSandbox)
  const runs = runsDirectory(flags, environment)
  const origin = isSandbox ? null : originOf(flags, environment, planned)
  if (!isSandbox && origin === null) throw new UsageError(noInstance)
  if (planned !== null) {
    const asked = { job: job.name, jobFlags, settings, instance: origin ?? sandboxInstance }
    refuseAskedOtherwise(flags.plan!, planned, asked)
  }
  refuseUnthrottled(settings.limits, origin)
  const key = isSandbox ? sandboxKey : requiredKey(flags, environment)
  const isLive = isLiveInput(flags, job.job)
  const files = plannedInput(flags, planned)
  const inputNames = () => (isLive || files !== null ? [] : requiredInput(flags))
  // A run that is resumed has its input.
  if (!flags.continue) inputNames()
  refuseUnasked(request.isConfirmed, terminal)
  if (jobFlags.erase === 'true') refuseErasingUnasked(request.isErasureConfirmed, terminal)

  if (flags.continue) {
    const wanted = { job: job.name, instance: origin, jobFlags, input: isLive ? null : (flags.input ?? []) }
    const find = () => toContinue(flags['run-dir'], runs, job, wanted)
    const unfinished = find()
    if (unfinished !== null) await whenIdle(unfinished, request.isPatient, terminal)
    // While it was waited for it may have finished.
    const still = unfinished && find()
    if (still) return resumeRequest(still, flags, environment, terminal)
  }
  const names = inputNames()
  const { label, hold, 'run-dir': runDir } = flags
  const run: NewRunRequest = {
    job,
    jobFlags,
    settings,
    isSandbox,
    isParallel: flags.parallel ?? false,
    hold: hold === undefined && planned !== null ? planned.hold : namedFiles(hold),
    retryOf: null,
    pseudonyms: flags.pseudonymise ? requiredPseudonyms(environment) : null,
    plan: planned === null ? null : { path: flags.plan!, file: planned },
    ...(planned === null ? {} : { judgedAt: planned.judgedAt }),
    ...(isLive ? { sandboxConversations } : {}),
    newDirectory: () =>
      runDir === undefined
        ? directoryWithin(runs, label === undefined ? job.shortName : `${job.shortName}-${label}`)
        : directoryAt(runDir),
    input: async (place) =>
      isLive
        ? liveInput(flags, jobFlags, isSandbox, place, terminal)
        : { files: files ?? (await inputFiles(names, place.directory)), live: null },
  }
  const limits = withPlannedMax(request.limits, flags, planned)
  return { ...request, limits, run, origin, key: () => key }
}

/** With `--run-dir` the run in that directory, finished or not; else the latest unfinished run of the job. */
function toContinue(
  runDir: string | undefined,
  runs: string,
  { job }: LoadedJob,
  wanted: RunIdentity,
): RunDirectory | null {
  if (runDir === undefined) {
    const second = job.mayErase ? unfinishedErasure(runs, wanted.instance) : null
    return second ?? findUnfinished(runs, wanted)
  }
  const directory = runDirectory(runDir)
  if (!existsSync(directory.runFile)) return null
  loadRunFile(directory)
  if (isSameRequest(directory, wanted)) return directory
  throw new UsageError(
    `--continue: ${runDir} holds a run of another job, instance, job flags or input. Resume it with \`ada-bulk resume ${runDir}\`, or name another directory.`,
  )
}

/** The plan that the run must match; null without `--plan`. */
function planOf(flags: RunFlags): PlanFile | null {
  if (flags.plan === undefined) return null
  if (flags['dry-run'])
    throw new UsageError('--plan is for a run; --dry-run makes a new plan: give one of them.')
  if (flags.continue)
    throw new UsageError('--plan begins a run, and --continue may resume another: give one of them.')
  if (flags.live)
    throw new UsageError('--plan names its input, and --live downloads another: give one of them.')
  return readPlanFile(flags.plan)
}

/** The settings from the flags, else from the plan, else the defaults. */
function settingsOf(flags: RunFlags, { job }: LoadedJob, planned: PlanFile | null): RunSettings {
  if (planned === null) return newSettings(flags, job)
  const { format, idColumn, acceptTruncated } = planned.settings
  const settings = {
    ...planned.settings,
    format: flags.format ?? format,
    idColumn: flags['id-column'] ?? idColumn,
    acceptTruncated: flags['accept-truncated'] ?? acceptTruncated,
  }
  return changedSettings(settings, flags)
}

/** A run by a plan goes no further than planned. */
function withPlannedMax(
  limits: ReturnType<typeof stopLimits>,
  flags: RunFlags,
  planned: PlanFile | null,
): ReturnType<typeof stopLimits> {
  const plannedMax = planned?.maxItems ?? Number.POSITIVE_INFINITY
  if (flags['max-items'] !== undefined && limits.maxItems > plannedMax)
    throw new UsageError(`--max-items ${flags['max-items']}: ${flags.plan} is for ${plannedMax} at most.`)
  return { ...limits, maxItems: Math.min(limits.maxItems, plannedMax) }
}

/** The instance from the flags or the environment, else from the plan. */
function originOf(
  flags: RunFlags,
  environment: Parameters<typeof instanceOrigin>[1],
  planned: PlanFile | null,
): string | null {
  const isSandbox = planned === null || planned.instance === sandboxInstance
  return instanceOrigin(flags, environment) ?? (isSandbox ? null : planned.instance)
}

/** The planned input, unless the flags name another. Whether it is the same shows when it is read. */
function plannedInput(flags: RunFlags, planned: PlanFile | null): InputFile[] | null {
  if (planned === null || flags.input !== undefined) return null
  if (planned.input.some(({ name }) => name === '-'))
    throw new UsageError(`${flags.plan} was made of stdin, which is gone: give it again with --input -.`)
  return planned.input
}
