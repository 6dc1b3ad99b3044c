import type { Command } from './command.js'
import { controlRun } from './control-run.js'
import { type Flags, placeOptions, runArgument } from './options.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', runArgument)
      .options(placeOptions)
      .example('$0 continue latest', 'Go on after `pause`')
      .example('$0 resume latest --yes', 'That is for a run whose process has ended'),

  run: (flags: Flags<typeof placeOptions> & { run: string }, shell) =>
    controlRun(
      flags,
      shell,
      { isPaused: false },
      {
        done: 'goes on.',
        later: `It is not paused any more; go on with it by \`ada-bulk resume ${flags.run}\`.`,
      },
    ),
}
