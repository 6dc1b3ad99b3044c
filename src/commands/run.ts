import { existsSync } from 'node:fs'
import { type RunDirectory, runDirectory } from '../checkpoint/directory.js'
import type { Notifiers } from '../monitor/notifiers.js'
import type { Coordination } from '../runs/coordination.js'
import { type LoadedJob, loadJob } from '../runs/jobs.js'
import { refuseAskedOtherwise } from '../runs/plan-file.js'
import { findUnfinished } from '../runs/state.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { noInstance } from '../settings/addresses.js'
import { requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { requiredPseudonyms } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import { checkShowFlags } from './begin.js'
import { type Command, optionsOf } from './command.js'
import { refuseUnasked } from './confirm.js'
import { coordinated } from './coordinated.js'
import {
  asOneDocument,
  eraseAfter,
  isErasing,
  refuseErasingUnasked,
  unfinishedErasure,
} from './erase-after.js'
import { inputFiles, namedFiles, requiredInput } from './input-files.js'
import { jobFlagsOf, withJobFlags } from './job-flags.js'
import { isLiveInput, liveInput, sandboxConversations } from './live-input.js'
import { beginNewRun } from './new-run.js'
import { command as plan } from './plan.js'
import {
  askedInstance,
  askedLimits,
  askedSettings,
  plannedBy,
  plannedInput,
  sandboxInstance,
} from './planned.js'
import { resumeRun } from './resume.js'
import { runInstances } from './run-instances.js'
import type { Shell } from './shell.js'
import { isIdle } from './take-locks.js'
import { telling } from './telling.js'

type RunFlags = FlagsOf<'run'> & { job: string; label?: string; erase?: boolean }

export const command: Command = {
  async flags(argv, typed) {
    argv
      .positional('job', {
        type: 'string',
        describe: 'A name that `ada-bulk jobs` lists, or the path of your own job file',
      })
      .options(optionsOf('run'))
      .example('$0 run end-conversations -i samples/conversations.csv --sandbox --yes', 'Practise')
      .example(
        '$0 run end-conversations -i samples/conversations.csv --sandbox --yes --max-items 10',
        'Try ten first',
      )
    return withJobFlags(argv, typed, optionsOf('run'))
  },

  async run(flags: RunFlags, shell) {
    if (flags.instances !== undefined && flags.erase)
      throw new UsageError('--erase is for one instance at a time: leave --instances out.')
    if (flags.instances !== undefined && !flags['dry-run'])
      return runInstances({ ...flags, instances: flags.instances }, shell, command.run)
    if (!flags['dry-run']) {
      return asOneDocument(flags.json && flags.erase === true, shell, (within) =>
        telling(flags, within, flags.job, (notices) => start(flags, within, notices)),
      )
    }
    plannedBy(flags)
    return plan.run(flags, shell)
  },
}

async function start(flags: RunFlags, shell: Shell, notices: Notifiers): Promise<number> {
  const planned = plannedBy(flags)
  const environment = withEnvFile(shell.environment, flags['env-file'])
  const job = await loadJob(flags.job)
  const settings = askedSettings(flags, job.job, planned)
  const limits = askedLimits(flags, planned)
  const jobFlags = jobFlagsOf(job.job, { ...planned?.jobFlags, ...flags })
  checkShowFlags(flags)
  const runs = runsDirectory(flags, environment)
  const instance = flags.sandbox ? null : askedInstance(flags, environment, planned)
  if (!flags.sandbox && instance === null) throw new UsageError(noInstance)
  if (planned !== null) {
    const asked = { job: job.name, jobFlags, settings, instance: instance ?? sandboxInstance }
    refuseAskedOtherwise(flags.plan!, planned, asked)
  }
  const key = flags.sandbox ? sandboxKey : requiredKey(flags, environment)
  const isLive = isLiveInput(flags, job.job)
  const files = plannedInput(flags, planned)
  const input = () => (isLive || files !== null ? [] : requiredInput(flags))
  // A run that is resumed has its input.
  if (!flags.continue) input()
  refuseUnasked(flags.yes, shell)
  if (isErasing({ jobFlags })) refuseErasingUnasked(flags, shell)

  if (flags.continue) {
    const find = () => toContinue(flags['run-dir'], runs, job, instance)
    const unfinished = find()
    if (unfinished !== null && !(await isIdle(unfinished, flags.wait, shell))) return 75
    // While it was waited for it may have come to its end.
    const still = unfinished && find()
    if (still) return resumeRun(still, flags, shell, notices)
  }
  const names = input()
  const sandbox = flags.sandbox
    ? await startSandbox(isLive ? { conversations: sandboxConversations } : {})
    : null
  try {
    let directory: RunDirectory
    const begin = (coordination: Coordination) =>
      beginNewRun(
        {
          onDirectory: (own) => {
            directory = own
          },
          ...limits,
          coordination,
          notices,
          job,
          jobFlags,
          settings,
          origin: sandbox?.url ?? instance!,
          key,
          isSandbox: sandbox !== null,
          isParallel: flags.parallel ?? false,
          isConfirmed: flags.yes ?? false,
          runsDirectory: runs,
          runDirectory: flags['run-dir'],
          label: flags.label,
          pseudonyms: flags.pseudonymise ? requiredPseudonyms(environment) : null,
          hold: flags.hold === undefined && planned !== null ? planned.hold : namedFiles(flags.hold),
          retryOf: null,
          ...(planned === null ? {} : { planned: { path: flags.plan!, plan: planned } }),
          input: async (directory, memory, nowMs) =>
            isLive
              ? liveInput({
                  flags,
                  jobFlags,
                  memory,
                  nowMs,
                  directory: directory.path,
                  origin: sandbox?.url ?? instance!,
                  key,
                  isSandbox: sandbox !== null,
                  coordination,
                  shell,
                })
              : { files: files ?? (await inputFiles(names, directory.path)), live: null },
        },
        flags,
        shell,
      )
    const exitCode = await coordinated(flags, environment, sandbox !== null, begin)
    if (!isErasing({ jobFlags })) return exitCode
    const after = { directory: directory!, exitCode, origin: sandbox?.url ?? instance!, key }
    return await eraseAfter(after, flags, shell)
  } finally {
    await sandbox?.close()
  }
}

/** With `--run-dir` the run in that directory, finished or not; else the latest unfinished run of the job. */
function toContinue(
  runDir: string | undefined,
  runs: string,
  { job, name }: LoadedJob,
  instance: string | null,
): RunDirectory | null {
  if (runDir === undefined) {
    const second = job.mayErase ? unfinishedErasure(runs, instance) : null
    return second ?? findUnfinished(runs, { job: name, instance })
  }
  const directory = runDirectory(runDir)
  return existsSync(directory.runFile) ? directory : null
}
