import type { Argv, Options } from 'yargs'
import { helpOf, isList, rows, rowsOf } from '../settings/flags.js'
import type { CommandName } from '../settings/setting.js'
import { UsageError } from '../system/errors.js'
import { version } from '../system/host.js'
import { type Command, type KnownCommand, nameIn } from './command.js'
import { epilogue, usage } from './help.js'
import { withJobFlags } from './job-flags.js'
import type { Terminal } from './terminal.js'
import { usageError } from './usage-error.js'

/** Runs the command that was typed, and returns its exit code. Throws a UsageError about words that are wrong. */
export async function runTyped(
  typed: readonly string[],
  commands: readonly KnownCommand[],
  terminal: Terminal,
): Promise<number> {
  const { default: yargs } = await import('yargs')
  const words = withStdin(typed)
  const names = commands.map(([known]) => nameIn(known))
  const isHelpAsked = words.length === 0 || words.some((word) => word === '--help' || word === '-h')
  let exitCode = 0
  const cli = yargs(words)
    .scriptName('ada-bulk')
    .usage(`$0 ${usage}`)
    .parserConfiguration({ 'greedy-arrays': false })
    .version(version)
    .help()
    .alias('help', 'h')
    .strict()
    .demandCommand(1, 'Name a command.')
    .exitProcess(false)
    // yargs draws up the help at every command; without wrapping that costs a third.
    .wrap(isHelpAsked ? Math.min(100, process.stderr.columns ?? 100) : null)
    .epilogue(epilogue)
    .fail((message, error) => {
      throw error ?? usageError(message, { words, commands: names, flags: flagsOf(cli) })
    })
  for (const [known, describe, load] of commands) {
    cli.command(
      known,
      describe,
      async (argv) => declare(argv, known, (await load()).command, words),
      async (flags) => {
        refuseRepeated(flags)
        exitCode = await (await load()).command.run(flags, terminal)
      },
    )
  }
  await cli.parseAsync().catch((error: unknown) => {
    if (!(error instanceof Error) || error.name !== 'YError') throw error
    throw usageError(error.message, { words, commands: names, flags: [] })
  })
  return exitCode
}

/** The flags that have been declared; the types of yargs leave it out. */
function flagsOf(parser: unknown): string[] {
  return Object.keys((parser as { getOptions(): { key: object } }).getOptions().key)
}

/** A lone `-` is stdin. Behind a flag yargs takes it for another flag, but it understands `--input=-`. */
function withStdin(typed: readonly string[]): string[] {
  const files = rows.filter(({ kind }) => kind === 'file')
  const flags = new Set(files.flatMap(({ flag, alias }) => [`--${flag}`, `-${alias ?? flag}`]))
  const joined: string[] = []
  for (const word of typed) {
    const flag = joined.at(-1)
    if (word === '-' && flag !== undefined && flags.has(flag)) joined[joined.length - 1] = `${flag}=-`
    else joined.push(word)
  }
  return joined
}

const subjects: Record<string, string> = {
  job: 'A name that `ada-bulk jobs` lists, or the path of your own job file',
  run: "A run's directory or name, or latest",
}

/** Declares what a command takes; `typed` is the whole command line, in which the job is found. */
export async function declare(
  argv: Argv,
  words: string,
  { examples }: Command,
  typed: readonly string[],
): Promise<Argv> {
  const name = nameIn(words)
  const subject = /\w+(?=[>\]])/.exec(words)?.[0]
  if (subject !== undefined) argv.positional(subject, { type: 'string', describe: subjects[subject]! })
  argv.options(optionsOf(name))
  for (const [line, describe] of examples) argv.example(`$0 ${line}`, describe)
  return subject === 'job' ? withJobFlags(argv, typed, name) : argv
}

/** The flags of a command as yargs declares them. No defaults: a resumed run has its own values. */
function optionsOf(command: CommandName): Record<string, Options> {
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
  // yargs gives `api-limit` as `apiLimit`, too.
  const inCamelCase = (flag: string) => flag.replace(/-(\w)/g, (_, letter) => letter.toUpperCase())
  const lists = rows.filter(isList).flatMap(({ flag, alias }): unknown[] => [flag, inCamelCase(flag), alias])
  for (const [name, value] of Object.entries(flags)) {
    if (Array.isArray(value) && name !== '_' && !lists.includes(name))
      throw new UsageError(`--${name} is given twice: give it once.`)
  }
}
