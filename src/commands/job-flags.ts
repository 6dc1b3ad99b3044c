import yargs, { type Argv, type Options } from 'yargs'
import type { Job } from '../job.js'
import { loadJob } from '../runs/jobs.js'
import { UsageError } from '../system/errors.js'

/**
 * Declares the flags of the job that was typed, so that they are checked and stand in `--help`. `options` are the
 * command's own, without which a flag's value could be taken for the job.
 */
export async function withJobFlags(
  argv: Argv,
  typed: readonly string[],
  options: Record<string, Options>,
): Promise<Argv> {
  const words = yargs([...typed])
    .parserConfiguration({ 'greedy-arrays': false })
    .options(options)
    .help(false)
    .version(false)
    .exitProcess(false)
    // What is wrong with the words is said when they are parsed in earnest.
    .fail(() => {})
    .parseSync()._
  const name = words[1] === undefined ? undefined : String(words[1])
  if (name === undefined) return argv
  const loaded = await loadJob(name).catch(() => null)
  for (const [flag, { describe, default: value, isSwitch }] of Object.entries(loaded?.job.flags ?? {})) {
    const suffix = value === undefined ? '' : ` (${value})`
    const kind = isSwitch ? ({ type: 'boolean' } as const) : ({ type: 'string', requiresArg: true } as const)
    argv.option(flag, { ...kind, describe: describe + suffix, group: 'Job:' })
  }
  return argv
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
