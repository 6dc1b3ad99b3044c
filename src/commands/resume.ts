import { findRun, type RunDirectory, readSummary } from '../checkpoint/directory.js'
import { readCheckpoint } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { recentlySubmittedOf } from '../filters/cooldown.js'
import { openSyncStateOf, type SyncState } from '../filters/settled-before.js'
import type { Notifiers } from '../monitor/notifiers.js'
import { changeControl, readControl } from '../monitor/status.js'
import type { Coordination } from '../runs/coordination.js'
import { idRulesOf } from '../runs/id-rules.js'
import { type LoadedJob, loadJob } from '../runs/jobs.js'
import { readAskedRun } from '../runs/loaded-run.js'
import { findUnfinished, runState } from '../runs/state.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { changedSettings, stopLimits } from '../settings/run-settings.js'
import { type Pseudonyms, pseudonymsOfRun } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import { begin, checkShowFlags, printSummary } from './begin.js'
import { type Command, optionsOf } from './command.js'
import { confirmRest } from './confirm-rest.js'
import { coordinated } from './coordinated.js'
import { asOneDocument, isErasing } from './erase-after.js'
import { withInputAsItIs } from './input-as-it-is.js'
import { asUsageError } from './own-directory.js'
import { resumeErasing } from './resume-erasing.js'
import type { Shell } from './shell.js'
import { isIdle, takeLocks } from './take-locks.js'
import { telling } from './telling.js'

export type ResumeFlags = FlagsOf<'resume'>

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', {
        type: 'string',
        describe: "A run's directory or name, or latest; default: the latest unfinished",
      })
      .options(optionsOf('resume'))
      .example('$0 resume', 'Go on with the latest unfinished run')
      .example('$0 resume latest --yes --share 50%', 'Slower than before, and without asking'),

  async run(flags: ResumeFlags & { run?: string }, shell) {
    return telling(flags, shell, null, async (notices) => {
      const runs = runsDirectory(flags, withEnvFile(shell.environment, flags['env-file']))
      const directory = flags.run === undefined ? findUnfinished(runs) : findRun(runs, flags.run)
      if (directory === null)
        throw new UsageError(`there is no unfinished run in ${runs}. \`ada-bulk status\` lists the runs.`)
      return resumeRun(directory, flags, shell, notices)
    })
  },
}

/**
 * Goes on with a run under the settings that it has, and what the flags change; with a sweep that is to erase, also
 * with its second part.
 */
export async function resumeRun(
  directory: RunDirectory,
  flags: ResumeFlags,
  shell: Shell,
  notices: Notifiers,
): Promise<number> {
  if (!isErasing(readAskedRun(directory))) return resumeOne(directory, flags, shell, notices)
  return asOneDocument(flags.json, shell, (within) =>
    resumeErasing(directory, flags, within, (one) => resumeOne(one, flags, within, notices)),
  )
}

async function resumeOne(
  directory: RunDirectory,
  flags: ResumeFlags,
  shell: Shell,
  notices: Notifiers,
): Promise<number> {
  const environment = withEnvFile(shell.environment, flags['env-file'])
  checkShowFlags(flags)
  const limits = stopLimits(flags)
  const asked = readAskedRun(directory)
  const loaded = await loadJob(asked.job)
  const run: RunFile = { ...asked, settings: changedSettings(asked.settings, flags) }

  if (!(await isIdle(directory, flags.wait, shell))) return 75
  const standing = runState(directory)
  // A run whose reports are not in place, because it died or the disk was full, is gone through once more to write them.
  const summary = standing.kind === 'finished' ? readSummary(directory) : null
  const isReported =
    summary?.stoppedBecause === null && summary.checkpointHead === readCheckpoint(directory.checkpoint).head
  if (standing.kind === 'finished' && isReported) {
    shell.notice(`${directory.name} is finished: nothing is left to do.`)
    printSummary(summary, flags, shell)
    return standing.end.exitCode
  }
  const key = run.isSandbox ? sandboxKey : requiredKey(flags, environment)
  const pseudonyms = pseudonymsOfRun(asked, environment)
  const begun = { directory, run, loaded, key, limits, notices, pseudonyms }
  return coordinated(flags, environment, run.isSandbox, (coordination) =>
    goOn({ ...begun, coordination }, flags, shell),
  )
}

interface Resumed {
  directory: RunDirectory
  run: RunFile
  loaded: LoadedJob
  key: string
  limits: ReturnType<typeof stopLimits>
  notices: Notifiers
  pseudonyms: Pseudonyms | null
  coordination: Coordination
}

async function goOn(resumed: Resumed, flags: ResumeFlags, shell: Shell): Promise<number> {
  const { directory, run, loaded, coordination } = resumed
  const wanted = { ...run, shortName: loaded.shortName, directory }
  const lock = await takeLocks(coordination, wanted, flags.wait, shell)
  if (lock === null) return 75
  const sandbox = run.isSandbox ? await startSandbox() : null
  let memory: SyncState | null = null
  try {
    // What is asked for now is newer than what was asked of the run before.
    const isThrottled = readControl(directory.control) !== null
    if (isThrottled && flags.share !== undefined) changeControl(directory.control, { share: null })
    if (isThrottled && flags.limit !== undefined) changeControl(directory.control, { limits: null })
    const { stateDirectory } = coordination
    memory = openSyncStateOf({ ...run, stateDirectory }, loaded.job, run.job, run.instance)
    const { pseudonyms } = resumed
    const ids = idRulesOf(loaded.job, run.jobFlags, pseudonyms)
    const current = await withInputAsItIs(
      directory,
      run,
      loaded.job,
      memory,
      flags['accept-changed-input'] ?? false,
      ids,
      shell,
    ).catch((error) => {
      throw asUsageError(error, directory.path)
    })
    const confirmed = await confirmRest(current, loaded.job, resumed.limits.maxItems, flags, shell)
    const { job } = loaded
    const origin = sandbox?.url ?? run.instance
    const { isSandbox } = run
    const open = {
      directory,
      file: current.run,
      state: current.state,
      job,
      lock,
      syncState: memory,
      cooldown: recentlySubmittedOf(job, { stateDirectory, origin, isSandbox }),
      pseudonyms,
      origin,
    }
    return await begin({ ...resumed, ...resumed.limits, run: open, confirmed }, flags, shell)
  } finally {
    memory?.close()
    await sandbox?.close()
    await lock.release()
  }
}
