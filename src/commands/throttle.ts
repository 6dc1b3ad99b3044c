import { findRun, readRunFile } from '../checkpoint/directory.js'
import { readControl } from '../monitor/status.js'
import { sharedWindows } from '../pacing/allowance.js'
import { runsDirectory } from '../settings/environment.js'
import { type FlagsOf, typedIn } from '../settings/flags.js'
import { inLimit, type RateWindow } from '../settings/limits.js'
import { UsageError } from '../system/errors.js'
import { type Command, optionsOf } from './command.js'
import { controlRun } from './control-run.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', { type: 'string', describe: "A run's directory or name" })
      .options(optionsOf('throttle'))
      .example('$0 throttle latest --share 50%', 'Half of every window from now on')
      .example('$0 throttle latest --limit 100/m', 'Another window of a minute; the others stay'),

  run(flags: FlagsOf<'throttle'> & { run: string }, shell) {
    if (flags.share === undefined && flags.limit === undefined) {
      throw new UsageError('throttle to what? Give --share 50% or --limit 10/s, or both.')
    }
    const directory = findRun(runsDirectory(flags, shell.environment), flags.run)
    const { settings } = readRunFile(directory)
    const before = readControl(directory.control)?.control
    const share = typedIn(flags, 'share') ?? null
    const windows = before?.limits ?? settings.limits
    const asked = typedIn(flags, 'limit')
    const limits = asked === undefined ? null : replaced(windows, asked)
    const change = { ...(share === null ? {} : { share }), ...(limits === null ? {} : { limits }) }
    const pace = paceText(limits ?? windows, share ?? before?.share ?? settings.share)
    return controlRun(flags, shell, change, { done: `now ${pace}.`, later: `When it is resumed: ${pace}.` })
  },
}

/** A window takes the place of the one that is as long; the others stay, so that nothing gets faster by it. */
function replaced(before: Limits, asked: RateWindow[] | 'none'): RateWindow[] | 'none' {
  if (before === 'none' || asked === 'none') return asked
  const kept = before.filter(({ perMs }) => asked.every((window) => window.perMs !== perMs))
  return [...asked, ...kept].sort((a, b) => a.perMs - b.perMs)
}

type Limits = readonly RateWindow[] | 'none'

function paceText(limits: Limits, share: number): string {
  if (limits === 'none') return 'without any limit'
  const allowed = sharedWindows(limits, share).map(inLimit).join(' and ')
  return `${allowed} (${Math.round(share * 100)}% of ${limits.map(inLimit).join(' and ')})`
}
