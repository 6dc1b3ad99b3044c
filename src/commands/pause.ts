import type { Command } from './command.js'
import { controlRun } from './control-run.js'
import { type Flags, placeOptions, runArgument } from './options.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', runArgument)
      .options(placeOptions)
      .example('$0 pause latest', 'Calls in flight end, none leaves; from any terminal or host')
      .example('$0 continue latest', 'Go on'),

  run: (flags: Flags<typeof placeOptions> & { run: string }, shell) =>
    controlRun(
      flags,
      shell,
      { isPaused: true },
      {
        done: `paused. \`ada-bulk continue ${flags.run}\` lets it go on.`,
        later: `When it is resumed it begins with a pause, until \`ada-bulk continue ${flags.run}\`.`,
      },
    ),
}
