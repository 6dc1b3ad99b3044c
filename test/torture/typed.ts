import yargs from 'yargs'
import type { Command } from '../../src/commands/command.js'
import { refuseRepeated } from '../../src/commands/refuse-repeated.js'
import { exitCodeOf, type Shell } from '../../src/commands/shell.js'
import { UsageError } from '../../src/system/errors.js'

/** The commands that end by themselves, with the words that the command line has for them. */
const commands: readonly [string, () => Promise<{ command: Command }>][] = [
  ['run <job>', () => import('../../src/commands/run.js')],
  ['plan <job>', () => import('../../src/commands/plan.js')],
  ['resume [run]', () => import('../../src/commands/resume.js')],
  ['retry <run>', () => import('../../src/commands/retry.js')],
  ['status [run]', () => import('../../src/commands/status.js')],
  ['pause <run>', () => import('../../src/commands/pause.js')],
  ['continue <run>', () => import('../../src/commands/continue.js')],
  ['throttle <run>', () => import('../../src/commands/throttle.js')],
  ['report <run>', () => import('../../src/commands/report.js')],
  ['verify <run>', () => import('../../src/commands/verify.js')],
  ['prune', () => import('../../src/commands/prune.js')],
  ['export', () => import('../../src/commands/export.js')],
  ['schedule <job>', () => import('../../src/commands/schedule.js')],
  ['jobs', () => import('../../src/commands/jobs.js')],
  ['doctor', () => import('../../src/commands/doctor.js')],
]

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
  for (const [name, load] of commands) {
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
