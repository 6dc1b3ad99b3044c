import { parseLimits, parseShare } from '../settings/values.js'
import { UsageError } from '../usage-error.js'
import { inLimit } from '../words.js'
import type { Command } from './command.js'
import { controlRun } from './control-run.js'
import { type Flags, pacingOptions, placeOptions, runArgument } from './options.js'

const throttleOptions = { limit: pacingOptions.limit, share: pacingOptions.share, ...placeOptions } as const

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', runArgument)
      .options(throttleOptions)
      .example('$0 throttle latest --share 50%', 'Half of every window from now on')
      .example('$0 throttle latest --limit 10/s --limit 100/m', 'Other windows'),

  run(flags: Flags<typeof throttleOptions> & { run: string }, shell) {
    if (flags.share === undefined && flags.limit === undefined) {
      throw new UsageError('throttle to what? Give --share 50% or --limit 10/s, or both.')
    }
    const change = {
      ...(flags.share === undefined ? {} : { share: parseShare(flags.share) }),
      ...(flags.limit === undefined ? {} : { limits: parseLimits(flags.limit) }),
    }
    const limits = change.limits === 'none' ? ['without any limit'] : (change.limits?.map(inLimit) ?? [])
    const share = change.share === undefined ? [] : [`a share of ${Math.round(change.share * 100)}%`]
    const pace = [...limits, ...share].join(', ')
    return controlRun(flags, shell, change, { done: `now ${pace}.`, later: `When it is resumed: ${pace}.` })
  },
}
