#!/bin/sh
// 2>/dev/null; exec node -- "$0" "$@"
// (The shell runs the line above. Without the -- Node would take our --env-file for its own.)

import { commands } from './commands/commands.js'
import { firstHelp } from './commands/help.js'
import { exitCodeOf, Interrupted, processTerminal, type Terminal } from './commands/terminal.js'

/** How the scripts of yargs ask for completions. */
const completionFlag = '--get-yargs-completions'

async function main(typed: readonly string[], terminal: Terminal): Promise<number> {
  if (typed[0] === completionFlag) {
    const { complete } = await import('./commands/completion.js')
    for (const word of await complete(typed.slice(1), commands, terminal.environment)) terminal.print(word)
    return 0
  }
  if (typed.length === 1 && (typed[0] === '--help' || typed[0] === '-h')) {
    terminal.print(firstHelp(commands))
    return 0
  }
  const { runTyped } = await import('./commands/parser.js')
  return runTyped(typed, commands, terminal)
}

// A reader of our output may go away; what is recorded does not depend on it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})

const terminal = processTerminal()
main(process.argv.slice(2), terminal)
  .catch((error: unknown) => {
    const exitCode = exitCodeOf(error)
    if (exitCode === 1) terminal.notice(error instanceof Error ? String(error.stack) : String(error))
    else terminal.notice(error instanceof Interrupted ? '' : `ada-bulk: ${(error as Error).message}`)
    return exitCode
  })
  .then((exitCode) => {
    process.exitCode = exitCode
    process.stdout.write('', () => process.exit())
  })
