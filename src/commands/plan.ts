import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recentlySubmittedOf } from '../filters/cooldown.js'
import { openSyncStateOf, type SyncState } from '../filters/settled-before.js'
import { itemsPerCall } from '../job.js'
import { countInput } from '../runs/count.js'
import { openFilters } from '../runs/filters.js'
import { idRulesOf } from '../runs/id-rules.js'
import { loadJob } from '../runs/jobs.js'
import { refuseTaken, writePlanFile } from '../runs/plan-file.js'
import { recentCallsAgoMs } from '../runs/recent-calls.js'
import { sandboxKey } from '../sandbox/options.js'
import type { Sandbox } from '../sandbox/server.js'
import { startSandbox } from '../sandbox/server.js'
import { instanceOrigin, noInstance } from '../settings/addresses.js'
import { requiredKey, stateDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { newSettings, stopLimits } from '../settings/run-settings.js'
import { requiredPseudonyms } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import { type Command, optionsOf } from './command.js'
import { coordinated } from './coordinated.js'
import { isErasing } from './erase-after.js'
import { forecast, forecastText } from './forecast.js'
import { inputFiles, namedFiles, requiredInput } from './input-files.js'
import { jobFlagsOf, withJobFlags } from './job-flags.js'
import { isLiveInput, liveInput, sandboxConversations } from './live-input.js'
import { planInstances } from './plan-instances.js'
import { sandboxInstance } from './planned.js'

type PlanFlags = FlagsOf<'plan'> & { job: string }

export const command: Command = {
  async flags(argv, typed) {
    argv
      .positional('job', {
        type: 'string',
        describe: 'A name that `ada-bulk jobs` lists, or the path of your own job file',
      })
      .options(optionsOf('plan'))
      .example('$0 plan end-conversations -i samples/conversations.csv', 'Count, call nothing')
      .example('$0 plan end-conversations -i samples/conversations.csv --share 50% --json', 'For a script')
      .example(
        '$0 plan close-stale -i samples/export.jsonl --sandbox --output plan.json',
        'To keep, for `run --plan`',
      )
    return withJobFlags(argv, typed, optionsOf('plan'))
  },

  async run(flags: PlanFlags, shell) {
    if (flags.instances !== undefined)
      return planInstances({ ...flags, instances: flags.instances }, shell, command.run)
    const environment = withEnvFile(shell.environment, flags['env-file'])
    const { job, name, shortName } = await loadJob(flags.job)
    const settings = newSettings(flags, job)
    const jobFlags = jobFlagsOf(job, flags)
    const { maxItems } = stopLimits(flags)
    const isLive = isLiveInput(flags, job)
    const names = isLive ? [] : requiredInput(flags)
    const instance = flags.sandbox ? sandboxInstance : instanceOrigin(flags, environment)
    if (instance === null && (isLive || flags.output !== undefined)) throw new UsageError(noInstance)
    if (flags.output !== undefined) refuseOutput(flags.output, isLive)
    const nowMs = Date.now()
    const state = stateDirectory(environment)
    const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-plan-'))
    let sandbox: Sandbox | null = null
    let memory: SyncState | null = null
    try {
      if (isLive && flags.sandbox) sandbox = await startSandbox({ conversations: sandboxConversations })
      const asked = { stateDirectory: state, jobFlags, isSandbox: flags.sandbox ?? false, isParallel: false }
      if (instance !== null) memory = openSyncStateOf(asked, job, name, instance)
      const origin = sandbox?.url ?? instance!
      const isSandbox = sandbox !== null
      const { files } = isLive
        ? await coordinated(flags, environment, isSandbox, (coordination) => {
            const key = isSandbox ? sandboxKey : requiredKey(flags, environment)
            const from = { directory, origin, key, isSandbox, coordination }
            return liveInput({ flags, jobFlags, memory, nowMs, shell, ...from })
          })
        : { files: await inputFiles(names, directory) }
      const isRemembered = instance !== null && !flags.sandbox
      const recent = isRemembered ? recentlySubmittedOf(job, { ...asked, origin: instance }) : null
      const pseudonyms = flags.pseudonymise ? requiredPseudonyms(environment) : null
      const named = namedFiles(flags.hold)
      const { filters, hold } = await openFilters({
        job,
        jobFlags,
        hold: named,
        isRetry: false,
        memory,
        recent,
        nowMs,
      })
      const ids = idRulesOf(job, jobFlags, pseudonyms)
      const count = await countInput(files, settings, filters, ids)
      const { operation } = job
      const plan = forecast(shortName, instance, count, settings, maxItems, {
        itemsPerCall: itemsPerCall(operation),
        hold,
        agoMs: isRemembered ? recentCallsAgoMs(state, instance, operation) : [],
      })
      if (flags.output !== undefined) {
        writePlanFile(flags.output, {
          job: name,
          jobFlags,
          instance: instance!,
          settings,
          input: count.input,
          hold,
          plan: { read: count.read, calls: count.calls },
          judgedAt: new Date(nowMs).toISOString(),
          maxItems: Number.isFinite(maxItems) ? maxItems : null,
          forecast: plan,
        })
        if (!flags.quiet)
          shell.notice(
            `Kept in ${flags.output}; run it with: ada-bulk run ${flags.job} --plan ${flags.output}`,
          )
      }
      shell.print(flags.json ? JSON.stringify(plan, null, 2) : forecastText(plan, settings, operation))
      if (isErasing({ jobFlags }) && !flags.json) shell.print(eraseText)
      return 0
    } finally {
      memory?.close()
      await sandbox?.close()
      rmSync(directory, { recursive: true, force: true })
    }
  },
}

const eraseText =
  '  then      a second run erases the end users whose conversations are all ended by then; it counts and asks for itself'

function refuseOutput(path: string, isLive: boolean): void {
  if (isLive) {
    throw new UsageError(
      '--output: what is downloaded for a plan is gone afterwards, so no run can go by it. Download it with `ada-bulk export`, and plan over that file.',
    )
  }
  refuseTaken(path)
}
