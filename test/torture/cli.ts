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

/** Runs a command line in this process, by the parser of the real one. Throws what is a bug. */
export async function cli(words: readonly string[], environment: Record<string, string>): Promise<Said> {
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
  const parser = yargs([...words])
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
    parser.command(
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
    await parser.parseAsync()
  } catch (error) {
    const isYargs = error instanceof Error && error.name === 'YError'
    if (!isYargs && exitCodeOf(error) === 1) throw error
    result.code = isYargs ? 2 : exitCodeOf(error)
    say((error as Error).message)
  }
  return result
}
