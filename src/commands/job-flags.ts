import type { Argv } from 'yargs'
import type { Job } from '../job.js'
import { loadJob } from '../runs/jobs.js'
import { readWords } from '../settings/flags.js'
import type { CommandName } from '../settings/setting.js'
import { UsageError } from '../system/errors.js'

/** Declares the flags of the job that was typed, so that they are checked and listed in `--help`. */
export async function withJobFlags(
  argv: Argv,
  typed: readonly string[],
  command: CommandName,
): Promise<Argv> {
  const [, name] = readWords(typed, command).positionals
  const flags = Object.entries(await flagsOfJob(name))
  for (const [flag, { describe, default: value, isSwitch }] of flags) {
    const suffix = value === undefined ? '' : ` (${value})`
    const kind = isSwitch ? ({ type: 'boolean' } as const) : ({ type: 'string', requiresArg: true } as const)
    argv.option(flag, { ...kind, describe: describe + suffix, group: 'Job:' })
  }
  return argv
}

/** The flags that a job adds; none when there is no such job, which is said when it is run. */
export async function flagsOfJob(name: string | undefined): Promise<NonNullable<Job['flags']>> {
  const loaded = name === undefined ? null : await loadJob(name).catch(() => null)
  return loaded?.job.flags ?? {}
}

/** The values of the job's own flags. */
export function jobFlagsOf(job: Job, flags: Readonly<Record<string, unknown>>): Record<string, string> {
  const values: Record<string, string> = {}
  for (const [flag, { default: fallback, isRequired, isSwitch }] of Object.entries(job.flags ?? {})) {
    const value = flags[flag] ?? fallback
    if (isSwitch && value === false) continue
    if (value !== undefined) values[flag] = String(value)
    else if (isRequired) throw new UsageError(`--${flag} is needed by this job.`)
  }
  return values
}
