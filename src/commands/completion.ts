import { basename } from 'node:path'
import { listRuns } from '../checkpoint/directory.js'
import { jobNames } from '../runs/jobs.js'
import { type Environment, runsDirectory } from '../settings/environment.js'
import { isList, readWords, rowsOf } from '../settings/flags.js'
import { type Command, type KnownCommand, nameIn } from './command.js'
import { flagsOfJob } from './job-flags.js'

/** Prints the script that asks for completions; `complete` answers it. */
export const command: Command = {
  examples: [
    ['completion >> ~/.bashrc', 'For every new bash'],
    ['completion >> ~/.zshrc', 'For every new zsh'],
  ],

  async run() {
    const { default: yargs } = await import('yargs')
    // yargs has one for the shell that SHELL names, and prints it.
    yargs().scriptName('ada-bulk').showCompletionScript()
    return 0
  },
}

/**
 * What may be the last word of a line, as a shell asks for it; nothing where a file may. Some shells give the
 * program's name first.
 */
export async function complete(
  line: readonly string[],
  commands: readonly KnownCommand[],
  environment: Environment,
): Promise<string[]> {
  // To bash `--format=csv` is three words.
  const words = line.slice(basename(line[0] ?? '') === 'ada-bulk' ? 1 : 0).filter((word) => word !== '=')
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  if (before.length === 0)
    return current.startsWith('-') ? ['--help', '--version'] : commands.map(([known]) => nameIn(known))
  const subject = commands.find(([known]) => nameIn(known) === before[0])?.[0].split(' ')[1]
  const command = commands.map(([known]) => nameIn(known)).find((name) => name === before[0])
  if (command === undefined) return []
  const rows = rowsOf(command)
  const ofJob = subject === '<job>' ? await flagsOfJob(readWords(before, command).positionals[1]) : {}
  const { positionals, typed, open } = readWords(
    before,
    command,
    (flag) => ofJob[flag]?.isSwitch ?? !(flag in ofJob),
  )
  if (open !== null) return [...(rows.find(({ flag }) => flag === open)?.choices ?? [])]
  if (current.startsWith('-')) {
    const repeatable = rows.filter(isList).map(({ flag }): string => flag)
    return [...rows.map(({ flag }) => flag), ...Object.keys(ofJob), 'help']
      .filter((flag) => !typed.has(flag) || repeatable.includes(flag))
      .map((flag) => `--${flag}`)
  }
  if (subject === undefined || positionals.length > 1) return []
  if (subject === '<job>') return jobNames()
  const names = listRuns(runsDirectory({ 'runs-dir': typed.get('runs-dir') }, environment)).map(
    ({ name }) => name,
  )
  return names.length === 0 ? [] : ['latest', ...names]
}
