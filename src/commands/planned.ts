import { type PlanFile, readPlanFile } from '../runs/plan-file.js'
import { instanceOrigin } from '../settings/addresses.js'
import type { Flags } from '../settings/flags.js'
import { changedSettings, newSettings, type RunSettings, stopLimits } from '../settings/run-settings.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'

/** How a plan names the sandbox: the address of the one to come is not known. */
export const sandboxInstance = 'sandbox'

/** The plan that a run goes by; null when it has none. */
export function plannedBy(flags: Flags): PlanFile | null {
  if (flags.plan === undefined) return null
  if (flags['dry-run'])
    throw new UsageError('--plan is for a run; --dry-run makes a new plan: give one of them.')
  if (flags.continue)
    throw new UsageError('--plan begins a run, and --continue may resume another: give one of them.')
  if (flags.live)
    throw new UsageError('--plan names its input, and --live downloads another: give one of them.')
  return readPlanFile(flags.plan)
}

/** The settings that the flags ask for. What they leave out is as planned. */
export function askedSettings(
  flags: Flags,
  job: Parameters<typeof newSettings>[1],
  planned: PlanFile | null,
): RunSettings {
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

/** How far this execution goes: no further than planned. */
export function askedLimits(flags: Flags, planned: PlanFile | null): ReturnType<typeof stopLimits> {
  const asked = stopLimits(flags)
  const mostItems = planned?.maxItems ?? Number.POSITIVE_INFINITY
  if (flags['max-items'] !== undefined && asked.maxItems > mostItems)
    throw new UsageError(`--max-items ${flags['max-items']}: ${flags.plan} is for ${mostItems} at most.`)
  return { ...asked, maxItems: Math.min(asked.maxItems, mostItems) }
}

/** The instance that the flags or the environment name, else the planned one; null when there is none. */
export function askedInstance(
  flags: Flags,
  environment: Parameters<typeof instanceOrigin>[1],
  planned: PlanFile | null,
): string | null {
  const isSandbox = planned === null || planned.instance === sandboxInstance
  return instanceOrigin(flags, environment) ?? (isSandbox ? null : planned.instance)
}

/** The planned input, of a run that names no other; null when it does. Whether it is the same shows when it is read. */
export function plannedInput(flags: Flags, planned: PlanFile | null): InputFile[] | null {
  if (planned === null || flags.input !== undefined) return null
  if (planned.input.some(({ name }) => name === '-'))
    throw new UsageError(`${flags.plan} was made of stdin, which is gone: give it again with --input -.`)
  return planned.input
}
