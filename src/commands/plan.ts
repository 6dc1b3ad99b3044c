import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openFilters } from '../input.js'
import { loadJob } from '../jobs.js'
import { countInput } from '../plan.js'
import { withEnvFile } from '../settings/environment.js'
import type { Command } from './command.js'
import { forecast, forecastText } from './forecast.js'
import { inputFiles } from './input-files.js'
import { jobFlagsOf, withJobFlags } from './job-flags.js'
import type { Flags } from './options.js'
import { runOptions } from './run-options.js'
import { instanceOrigin, namedFiles, newSettings, requiredInput, stopLimits } from './settings.js'

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
    const { job, shortName } = await loadJob(flags.job)
    const settings = newSettings(flags, job.operation.limits)
    const instance = flags.sandbox ? 'sandbox' : instanceOrigin(flags, environment)
    const names = requiredInput(flags)
    const { maxItems } = stopLimits(flags)
    const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-plan-'))
    try {
      const files = await inputFiles(names, directory)
      const { filters } = await openFilters(job, jobFlagsOf(job, flags), namedFiles(flags.hold), false)
      const count = await countInput(files, settings, filters)
      const plan = forecast(shortName, instance, count, settings, maxItems)
      shell.print(flags.json ? JSON.stringify(plan, null, 2) : forecastText(plan, settings, job.operation))
      return 0
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
}
