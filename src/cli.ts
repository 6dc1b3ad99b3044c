#!/bin/sh

// 2>/dev/null; exec node -- "$0" "$@"
// (The shell runs the line above. Without the -- Node would take our --env-file for its own.)

import { refuseRepeated } from './commands/command.js'
import { commands } from './commands/commands.js'
import { complaint } from './commands/complaint.js'
import { epilogue, firstHelp, usage } from './commands/first-help.js'
import { exitCodeOf, Interrupted, processShell, type Shell } from './commands/shell.js'
import { UsageError } from './system/errors.js'
import { version } from './system/host.js'

/** How the scripts of yargs ask for completions. */
const completionFlag = '--get-yargs-completions'

const names = commands.map(([words]) => words.split(' ')[0]!)

async function main(typed: string[], shell: Shell): Promise<number> {
  if (typed[0] === completionFlag) {
    const { complete } = await import('./commands/complete.js')
    for (const word of await complete(typed.slice(1), commands, shell.environment)) shell.print(word)
    return 0
  }
  if (typed.length === 1 && isHelpAsked(typed)) {
    shell.print(firstHelp(commands))
    return 0
  }
  const { default: yargs } = await import('yargs')
  let exitCode = 0
  const cli = yargs(typed)
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
    .wrap(isHelpAsked(typed) ? Math.min(100, process.stderr.columns ?? 100) : null)
    .epilogue(epilogue)
    .fail((message, error) => {
      throw (
        error ?? new UsageError(complaint(message, { words: typed, commands: names, flags: flagsOf(cli) }))
      )
    })
  for (const [words, describe, load] of commands) {
    cli.command(
      words,
      describe,
      async (argv) => (await load()).command.flags(argv, typed),
      async (flags) => {
        refuseRepeated(flags)
        exitCode = await (await load()).command.run(flags, shell)
      },
    )
  }
  await cli.parseAsync().catch((error: unknown) => {
    throw error instanceof Error && error.name === 'YError'
      ? new UsageError(complaint(error.message, { words: typed, commands: names, flags: [] }))
      : error
  })
  return exitCode
}

/** The flags that have been declared; the types of yargs leave it out. */
function flagsOf(parser: unknown): string[] {
  return Object.keys((parser as { getOptions(): { key: object } }).getOptions().key)
}

function isHelpAsked(typed: readonly string[]): boolean {
  return typed.length === 0 || typed.some((word) => word === '--help' || word === '-h')
}

// Whoever reads our output may go away; what is recorded does not depend on it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

/** yargs takes a lone `-`, which stands for stdin, behind a flag for a flag of its own; `--input=-` it understands. */
function withStdin(typed: readonly string[]): string[] {
  const joined: string[] = []
  for (const word of typed) {
    const flag = joined.at(-1)
    if (word === '-' && flag !== undefined && /^(-i|-o|--input|--hold|--output)$/.test(flag)) {
      joined[joined.length - 1] = `${flag}=-`
    } else joined.push(word)
  }
  return joined
}

const shell = processShell()
main(withStdin(process.argv.slice(2)), shell)
  .catch((error: unknown) => {
    const exitCode = exitCodeOf(error)
    if (exitCode === 1) shell.notice(error instanceof Error ? String(error.stack) : String(error))
    else shell.notice(error instanceof Interrupted ? '' : `ada-bulk: ${(error as Error).message}`)
    return exitCode
  })
  .then((exitCode) => {
    process.exitCode = exitCode
    process.stdout.write('', () => process.exit())
  })
