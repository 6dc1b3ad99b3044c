import type { FlagsOf } from '../settings/flags.js'
import { type Command, optionsOf } from './command.js'
import { controlRun } from './control-run.js'

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', { type: 'string', describe: "A run's directory or name" })
      .options(optionsOf('continue'))
      .example('$0 continue latest', 'Go on after `pause`')
      .example('$0 resume latest --yes', 'That is for a run whose process has ended'),

  run: (flags: FlagsOf<'continue'> & { run: string }, shell) =>
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
