import type { CommandName } from '../settings/setting.js'
import type { Terminal } from './terminal.js'

/** The promise of a command: settings → work → exit code. Its flags are rows of the table of settings. */
export interface Command {
  /** Lines that can be pasted, without the program's name, and what they show. */
  examples: readonly (readonly [line: string, describe: string])[]
  /** Does the work and returns the exit code. */
  // biome-ignore lint/suspicious/noExplicitAny: yargs builds the flags; each command names the type it declared
  run(flags: any, terminal: Terminal): Promise<number>
}

/** A command as it is typed: `run <job>` is its name, and what it takes behind it. */
export type KnownCommand = readonly [
  words: string,
  describe: string,
  load: () => Promise<{ command: Command }>,
]

export function nameIn(words: string): CommandName {
  return words.split(' ')[0] as CommandName
}
