import type { KnownCommand } from './command.js'

export const usage = `<command>

Bulk operations on Ada conversations: paced, resumable, one report row per ID.`

export const epilogue = '`ada-bulk <command> --help` has the flags and examples of each.'

/** The output of `--help` alone, word for word as yargs has it, which takes longer to load than all else. */
export function firstHelp(commands: readonly KnownCommand[]): string {
  const known = commands.map(([words, describe]) => [`ada-bulk ${words}`, describe] as const)
  const options = [
    ['    --version', 'Show version number  [boolean]'],
    ['-h, --help', 'Show help  [boolean]'],
  ] as const
  return `ada-bulk ${usage}\n\nCommands:\n${inColumns(known)}\n\nOptions:\n${inColumns(options)}\n\n${epilogue}`
}

function inColumns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([name]) => name.length))
  return rows.map(([name, describe]) => `  ${name.padEnd(width)}  ${describe}`).join('\n')
}
