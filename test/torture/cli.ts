import { commands as allCommands } from '../../src/commands/commands.js'
import { runTyped } from '../../src/commands/parser.js'
import { exitCodeOf, type Terminal } from '../../src/commands/terminal.js'

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
  const shell: Terminal = {
    environment,
    isInteractive: false,
    isStderrTerminal: false,
    print: say,
    notice: say,
    ask: async () => '',
  }
  try {
    result.code = await runTyped(words, commands, shell)
  } catch (error) {
    if (exitCodeOf(error) === 1) throw error
    result.code = exitCodeOf(error)
    say((error as Error).message)
  }
  return result
}
