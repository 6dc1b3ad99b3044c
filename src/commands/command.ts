import type { Argv } from 'yargs'
import type { Shell } from './shell.js'

/** The promise of a command: settings → work → exit code. */
export interface Command {
  /** Declares its flags; `typed` is all that was typed. */
  flags(argv: Argv, typed: readonly string[]): Argv | Promise<Argv>
  /** Does the work and returns the exit code. */
  // biome-ignore lint/suspicious/noExplicitAny: yargs builds the flags; each command names the type it declared
  run(flags: any, shell: Shell): Promise<number>
}
