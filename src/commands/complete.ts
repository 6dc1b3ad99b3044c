import { basename } from 'node:path'
import yargs from 'yargs'
import { listRuns } from '../checkpoint/directory.js'
import { jobNames } from '../runs/jobs.js'
import { type Environment, runsDirectory } from '../settings/environment.js'
import type { Command, KnownCommand } from './command.js'

/**
 * What may stand in the place of the last word of a line, as a shell asks for it; nothing where a file may. Some shells
 * give the program's name first.
 */
export async function complete(
  line: readonly string[],
  commands: readonly KnownCommand[],
  environment: Environment,
): Promise<string[]> {
  // To bash `--format=csv` is three words.
  const words = line.slice(basename(line[0] ?? '') === 'ada-bulk' ? 1 : 0).filter((word) => word !== '=')
  const current = words.at(-1) ?? ''
  const [name, ...before] = words.slice(0, -1)
  if (name === undefined) {
    return current.startsWith('-') ? ['--help', '--version'] : commands.map(([known]) => nameIn(known))
  }
  const command = commands.find(([known]) => nameIn(known) === name)
  if (command === undefined) return []
  const [wanted, , load] = command
  const { values, flags, boolean, array, choices } = await declared((await load()).command, [name, ...before])
  const previous = before.at(-1) ?? ''
  const flag = previous.replace(/^--?/, '')
  if (previous.startsWith('-') && flags.includes(flag) && !boolean.includes(flag)) return choices[flag] ?? []
  if (current.startsWith('-')) {
    return [...flags, 'help']
      .filter((one) => one.length > 1 && !wanted.includes(`<${one}>`) && !wanted.includes(`[${one}]`))
      .map((one) => `--${one}`)
      .filter((one) => !before.includes(one) || array.includes(one.slice(2)))
  }
  if (values._.length > 1) return []
  if (wanted.endsWith('<job>')) return jobNames()
  if (/[<[]run[\]>]$/.test(wanted)) {
    const runs = runsDirectory({ 'runs-dir': values['runs-dir'] as string | undefined }, environment)
    const names = listRuns(runs).map((run) => run.name)
    return names.length === 0 ? [] : ['latest', ...names]
  }
  return []
}

const nameIn = (wanted: string) => wanted.split(' ')[0]!

/** What yargs knows of a command's flags; its types leave it out. */
interface Options {
  key: object
  boolean: string[]
  array: string[]
  choices: Record<string, string[]>
}

/** The flags of a command, and what was typed of them so far. */
async function declared(command: Command, typed: readonly string[]) {
  const parser = yargs([...typed])
    .parserConfiguration({ 'greedy-arrays': false })
    .exitProcess(false)
    .fail(() => {})
  await command.flags(parser, typed)
  const { key, boolean, array, choices } = (parser as unknown as { getOptions(): Options }).getOptions()
  const values = parser.help(false).version(false).parseSync()
  return { values, flags: Object.keys(key), boolean, array, choices }
}
