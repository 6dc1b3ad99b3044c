import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { itemsPerCall, type JobFlags } from '../job.js'
import { countInput } from '../runs/count.js'
import { openFilters } from '../runs/filters.js'
import { isErasing } from '../runs/follow-up.js'
import { openHost, recentCallsAgoMs } from '../runs/host.js'
import { idRulesOf } from '../runs/id-rules.js'
import { loadJob } from '../runs/jobs.js'
import { openStates } from '../runs/open.js'
import { refuseTaken, writePlanFile } from '../runs/plan-file.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { instanceOrigin, noInstance, refuseUnthrottled } from '../settings/addresses.js'
import { requiredKey, stateDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { newSettings, stopLimits } from '../settings/run-settings.js'
import { openInput } from '../sources/input.js'
import { requiredPseudonyms } from '../sources/pseudonyms.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { type Forecast, forecast, forecastText, holdText } from './forecast.js'
import {
  inputFiles,
  isLiveInput,
  liveInput,
  namedFiles,
  requiredInput,
  sandboxConversations,
} from './input.js'
import { planInstances } from './instances.js'
import { jobFlagsOf } from './job-flags.js'
import { hostOptions, type InputPlace, sandboxInstance } from './request.js'
import type { Terminal } from './terminal.js'

type PlanFlags = FlagsOf<'plan'> & { job: string }

export const command: Command = {
  examples: [
    ['plan end-conversations -i samples/conversations.csv', 'Count, call nothing'],
    ['plan end-conversations -i samples/conversations.csv --share 50% --json', 'For a script'],
    ['plan close-stale -i samples/export.jsonl --sandbox --output plan.json', 'To keep, for `run --plan`'],
  ],

  async run(flags: PlanFlags, terminal) {
    const { instances } = flags
    if (instances !== undefined) return planInstances({ ...flags, instances }, terminal, planOf)
    const { plan, text } = await planOf(flags, terminal)
    terminal.print(flags.json ? JSON.stringify(plan, null, 2) : text)
    return 0
  },
}

/** Counts, and says what a run would do; `--output` keeps the plan. */
async function planOf(flags: PlanFlags, terminal: Terminal): Promise<{ plan: Forecast; text: string }> {
  const environment = withEnvFile(terminal.environment, flags['env-file'])
  const { job, name, shortName } = await loadJob(flags.job)
  const settings = newSettings(flags, job)
  const jobFlags = jobFlagsOf(job, flags)
  const { maxItems } = stopLimits(flags)
  const isLive = isLiveInput(flags, job)
  const names = isLive ? [] : requiredInput(flags)
  const isSandbox = flags.sandbox ?? false
  const instance = isSandbox ? sandboxInstance : instanceOrigin(flags, environment)
  if (instance === null && (isLive || flags.output !== undefined)) throw new UsageError(noInstance)
  refuseUnthrottled(settings.limits, isSandbox ? null : instance)
  if (flags.output !== undefined) refuseOutput(flags.output, isLive)
  const nowMs = Date.now()
  const state = stateDirectory(environment)
  using scratch = scratchDirectory()
  const states =
    instance === null
      ? null
      : openStates({ job, name }, { jobFlags, isSandbox, isParallel: false, instance }, instance, state)
  try {
    const syncState = states?.syncState ?? null
    const files = isLive
      ? await downloaded(flags, jobFlags, instance!, { directory: scratch.path, syncState, nowMs }, terminal)
      : await inputFiles(names, scratch.path)
    const { filters, hold, holdMatches } = await openFilters({
      job,
      jobFlags,
      hold: namedFiles(flags.hold),
      holdSettings: settings,
      isRetry: false,
      memory: syncState,
      recent: states?.cooldown ?? null,
      nowMs,
    })
    const ids = idRulesOf(job, jobFlags, flags.pseudonymise ? requiredPseudonyms(environment) : null)
    const count = await countInput(await openInput(files, settings, ids), filters)
    for (const matches of holdMatches()) terminal.notice(holdText(matches))
    const { operation } = job
    const plan = forecast(shortName, instance, count, settings, maxItems, {
      itemsPerCall: itemsPerCall(operation),
      hold,
      agoMs: instance === null || isSandbox ? [] : recentCallsAgoMs(state, instance, operation),
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
        terminal.notice(
          `Kept in ${flags.output}; run it with: ada-bulk run ${flags.job} --plan ${flags.output}`,
        )
    }
    const text = forecastText(plan, settings, operation)
    return { plan, text: isErasing({ jobFlags }) ? `${text}\n${eraseText}` : text }
  } finally {
    states?.syncState?.close()
  }
}

async function downloaded(
  flags: PlanFlags,
  jobFlags: JobFlags,
  instance: string,
  place: Pick<InputPlace, 'directory' | 'syncState' | 'nowMs'>,
  terminal: Terminal,
): Promise<InputFile[]> {
  const environment = withEnvFile(terminal.environment, flags['env-file'])
  const isSandbox = flags.sandbox ?? false
  const sandbox = isSandbox ? await startSandbox({ conversations: sandboxConversations }) : null
  try {
    await using host = await openHost(hostOptions(flags, environment, isSandbox))
    const key = isSandbox ? sandboxKey : requiredKey(flags, environment)
    const from = { ...place, origin: sandbox?.url ?? instance, key, host }
    return (await liveInput(flags, jobFlags, isSandbox, from, terminal)).files
  } finally {
    await sandbox?.close()
  }
}

function scratchDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'ada-bulk-plan-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
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
