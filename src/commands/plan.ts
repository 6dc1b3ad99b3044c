import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFilters } from '../input.js'
import { loadJob } from '../jobs.js'
import { openMemoryOf } from '../memory.js'
import { countInput } from '../plan.js'
import { sandboxKey } from '../sandbox/key.js'
import { startSandbox } from '../sandbox/start.js'
import { stateDirectory, withEnvFile } from '../settings/environment.js'
import { UsageError } from '../usage-error.js'
import type { Command } from './command.js'
import { forecast, forecastText } from './forecast.js'
import { inputFiles } from './input-files.js'
import { jobFlagsOf, withJobFlags } from './job-flags.js'
import { isLiveInput, liveInput, sandboxConversations } from './live-input.js'
import type { Flags } from './options.js'
import { runOptions } from './run-options.js'
import {
  instanceOrigin,
  namedFiles,
  newSettings,
  noInstance,
  requiredInput,
  requiredKey,
  stopLimits,
} from './settings.js'

type PlanFlags = Flags<typeof runOptions> & { job: string }

export const command: Command = {
  async flags(argv, typed) {
    argv
      .positional('job', {
        type: 'string',
        describe: 'A name that `ada-bulk jobs` lists, or the path of your own job file',
      })
      .options(runOptions)
      .example('$0 plan end-conversations -i samples/conversations.csv', 'Count, call nothing')
      .example('$0 plan end-conversations -i samples/conversations.csv --share 50% --json', 'For a script')
    return withJobFlags(argv, typed, 'plan')
  },

  async run(flags: PlanFlags, shell) {
    const environment = withEnvFile(shell.environment, flags['env-file'])
    const { job, name, shortName } = await loadJob(flags.job)
    const settings = newSettings(flags, job)
    const jobFlags = jobFlagsOf(job, flags)
    const { maxItems } = stopLimits(flags)
    const isLive = isLiveInput(flags, job)
    const names = isLive ? [] : requiredInput(flags)
    const instance = flags.sandbox ? 'sandbox' : instanceOrigin(flags, environment)
    if (isLive && instance === null) throw new UsageError(noInstance)
    const nowMs = Date.now()
    const state = stateDirectory(environment)
    const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-plan-'))
    const sandbox =
      isLive && flags.sandbox ? await startSandbox({ conversations: sandboxConversations }) : null
    const memory =
      instance === null
        ? null
        : openMemoryOf(
            { stateDirectory: state, jobFlags, isSandbox: flags.sandbox ?? false, isParallel: false },
            job,
            name,
            instance,
          )
    try {
      const { files } = isLive
        ? await liveInput({
            flags,
            jobFlags,
            memory,
            nowMs,
            directory,
            origin: sandbox?.url ?? instance!,
            key: sandbox ? sandboxKey : requiredKey(flags, environment),
            isSandbox: sandbox !== null,
            stateDirectory: state,
            shell,
          })
        : { files: await inputFiles(names, directory) }
      const hold = namedFiles(flags.hold)
      const { filters } = await openFilters({ job, jobFlags, hold, isRetry: false, memory, nowMs })
      const count = await countInput(files, settings, filters)
      const plan = forecast(shortName, instance, count, settings, maxItems)
      shell.print(flags.json ? JSON.stringify(plan, null, 2) : forecastText(plan, settings, job.operation))
      return 0
    } finally {
      memory?.close()
      await sandbox?.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
