import { rows, usageOf } from '../settings/flags.js'
import { shown } from '../settings/secrets.js'
import { UsageError } from '../system/errors.js'
import { suggestion } from '../system/suggestion.js'

/** What was typed, and what could have been typed. */
export interface Typed {
  words: readonly string[]
  commands: readonly string[]
  /** The flags of the command that was typed. */
  flags: readonly string[]
}

/** An error of yargs, in a sentence or two of ours. */
export function usageError(message: string, typed: Typed): UsageError {
  const command = typed.words.find((word) => typed.commands.includes(word))
  const said = sentence(message.replace(/\s+/g, ' '), typed, command)
  return new UsageError(`${said} See \`ada-bulk ${command === undefined ? '' : `${command} `}--help\`.`)
}

function sentence(message: string, typed: Typed, command: string | undefined): string {
  const isCommandKnown = command !== undefined
  const [, kind, rest = ''] =
    /^(Unknown argument|Not enough arguments following|Missing required argument|Invalid values)s?: (.*)$/.exec(
      message,
    ) ?? []
  switch (kind) {
    case 'Unknown argument':
      return unknown(rest.split(', '), typed, isCommandKnown)
    case 'Not enough arguments following':
      return `--${rest} needs a value.${writtenAs(rest)}`
    case 'Missing required argument':
      return `--${rest} is missing.`
    case 'Invalid values': {
      const [, flag, given, choices] =
        /^Argument: (.*?), Given: "(.*?)", Choices: ("[^"]*"(?:, "[^"]*")*)/.exec(rest) ?? []
      if (choices !== undefined) return `--${flag} ${given}: there are ${choices.replaceAll('"', '')}.`
    }
  }
  const [first] = typed.words
  if (!isCommandKnown && first?.startsWith('-')) return unknownFlag(first, typed.flags)
  if (message.startsWith('Not enough non-option arguments')) {
    return ['run', 'plan', 'schedule'].includes(command ?? '')
      ? 'Name a job: `ada-bulk jobs` lists them.'
      : 'Name a run, or latest: `ada-bulk status` lists them.'
  }
  return message.replace(/([^.?])$/, '$1.')
}

function writtenAs(flag: string): string {
  const row = rows.find((row) => row.flag === flag)
  return row === undefined ? '' : ` Write it as ${usageOf(row)}.`
}

/** yargs names a flag twice, as it was typed and in camel case, and does not tell flags from words. */
function unknown(
  names: readonly string[],
  { words, commands, flags }: Typed,
  isCommandKnown: boolean,
): string {
  const others = names.filter((name) => words.includes(name))
  if (!isCommandKnown && others[0] !== undefined) {
    return `No command is called ${shown(others[0])}.${didYouMean(suggestion(others[0], commands))}`
  }
  const flag = words.find((word) => names.some((name) => isFlag(word, name)))
  return flag === undefined
    ? `A word too many: ${(others[0] ? others : names).map(shown).join(', ')}.`
    : unknownFlag(flag, flags)
}

function isFlag(word: string, name: string): boolean {
  const [, letters, flag] = /^(?:-(\w+)|--(?:no-)?([^=.]+).*)$/.exec(word) ?? []
  return flag === name || (letters?.includes(name) ?? false)
}

function unknownFlag(word: string, flags: readonly string[]): string {
  const [, typed, dashes, name] = /^((--?(?:no-)?)([^=.]*))/.exec(word)!
  const meant = suggestion(
    name!,
    flags.filter((flag) => flag.length > 1),
  )
  return `Unknown flag ${typed}.${didYouMean(meant && `${dashes === '--no-' ? dashes : '--'}${meant}`)}`
}

const didYouMean = (meant: string | null) => (meant === null ? '' : ` Did you mean ${meant}?`)
