import type { FlagsOf } from '../settings/flags.js'
import { type Command, optionsOf } from './command.js'
import { controlRun } from './control-run.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', { type: 'string', describe: "A run's directory or name" })
      .options(optionsOf('pause'))
      .example('$0 pause latest', 'Calls in flight end, none leaves; from any terminal or host')
      .example('$0 continue latest', 'Go on'),

  run: (flags: FlagsOf<'pause'> & { run: string }, shell) =>
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
