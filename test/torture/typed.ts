import yargs from 'yargs'
import { refuseRepeated } from '../../src/commands/command.js'
import { commands as allCommands } from '../../src/commands/commands.js'
import { exitCodeOf, type Shell } from '../../src/commands/shell.js'
import { UsageError } from '../../src/system/errors.js'

/** The commands that end by themselves. */
const commands = allCommands.filter(([words]) => !['sandbox', 'completion'].includes(words))

export const commandNames = commands.map(([words]) => words.split(' ')[0]!)

export interface Said {
  code: number
  said: string
}

/** Has a command read these words in this process, by the parser that the command line has. What is a bug is thrown. */
export async function typed(words: readonly string[], environment: Record<string, string>): Promise<Said> {
  const result: Said = { code: 0, said: '' }
  const say = (text: string) => {
    result.said += `${text}\n`
  }
  const shell: Shell = {
    environment,
    isInteractive: false,
    isStderrTerminal: false,
    print: say,
    notice: say,
    ask: async () => '',
  }
  const cli = yargs([...words])
    .parserConfiguration({ 'greedy-arrays': false })
    .help(false)
    .version(false)
    .strict()
    .exitProcess(false)
    .demandCommand(1)
    .fail((message, error) => {
      throw error ?? new UsageError(message)
    })
  for (const [name, , load] of commands) {
    cli.command(
      name,
      name,
      async (argv) => (await load()).command.flags(argv, words),
      async (flags) => {
        refuseRepeated(flags)
        result.code = await (await load()).command.run(flags, shell)
      },
    )
  }
  try {
    await cli.parseAsync()
  } catch (error) {
    const isYargs = error instanceof Error && error.name === 'YError'
    if (!isYargs && exitCodeOf(error) === 1) throw error
    result.code = isYargs ? 2 : exitCodeOf(error)
    say((error as Error).message)
  }
  return result
}
