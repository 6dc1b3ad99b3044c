import type { Argv, Options } from 'yargs'
import { helpOf, isList, rows, rowsOf } from '../settings/flags.js'
import type { CommandName } from '../settings/setting.js'
import { UsageError } from '../system/errors.js'
import type { Shell } from './shell.js'

/** The promise of a command: settings → work → exit code. */
export interface Command {
  /** Declares its flags; `typed` is all that was typed. */
  flags(argv: Argv, typed: readonly string[]): Argv | Promise<Argv>
  /** Does the work and returns the exit code. */
  // biome-ignore lint/suspicious/noExplicitAny: yargs builds the flags; each command names the type it declared
  run(flags: any, shell: Shell): Promise<number>
}

/** A command as it is typed: `run <job>` is its name, and what it takes behind it. */
export type KnownCommand = readonly [
  words: string,
  describe: string,
  load: () => Promise<{ command: Command }>,
]

/** The flags of a command as yargs declares them. No defaults: a resumed run has its own values. */
export function optionsOf(command: CommandName): Record<string, Options> {
  return Object.fromEntries(
    rowsOf(command).map((row) => {
      const isSwitch = row.kind === 'switch'
      const { flag, group, alias, choices, isRequired = false } = row
      return [
        flag,
        {
          ...(isSwitch ? { type: 'boolean' } : { type: 'string', requiresArg: true, array: isList(row) }),
          describe: helpOf(row),
          group,
          alias,
          choices,
          demandOption: isRequired,
        } satisfies Options,
      ]
    }),
  )
}

/** yargs makes a list of a flag that is given twice; only those that are lists may be. */
export function refuseRepeated(flags: Record<string, unknown>): void {
  const lists = rows.filter(isList).flatMap(({ flag, alias }): unknown[] => [flag, alias])
  for (const [name, value] of Object.entries(flags)) {
    if (Array.isArray(value) && name !== '_' && !lists.includes(name))
      throw new UsageError(`--${name} is given twice: give it once.`)
  }
}
