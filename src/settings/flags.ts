import { type CommandName, type Details, type Kind, kinds, type Setting } from './setting.js'
import { sections } from './settings.js'

/** What is derived from the table of settings: types of flags, rows of a command, help texts, values. */

type Section = (typeof sections)[number]
type RowsOf<C> = Section extends infer S
  ? S extends { commands: readonly (infer One)[]; rows: infer R }
    ? C extends One
      ? R
      : never
    : never
  : never
type NameIn<R> = R extends unknown ? keyof R & string : never
type RowNamed<R, F> = R extends { [K in F & string]: infer Row } ? Row : never

export type Having<D> = readonly [Kind, string, D]

/** What yargs makes of a row. */
type Typed<R> = R extends readonly ['switch', ...unknown[]]
  ? boolean
  : R extends readonly ['limits' | 'caps', ...unknown[]] | Having<{ isList: true }>
    ? string[]
    : R extends Having<{ choices: readonly (infer Choice)[] }>
      ? Choice
      : string

type FlagIn<R, F> =
  | Typed<RowNamed<R, F>>
  | (RowNamed<R, F> extends Having<{ isRequired: true }> ? never : undefined)

type RowIn<R> = R extends unknown ? R[keyof R] : never
export type AnyRow = RowIn<Section['rows']>

export type FlagName = NameIn<Section['rows']>

/** The flags of a command, as they are typed. */
export type FlagsOf<C extends CommandName> = { [F in NameIn<RowsOf<C>>]: FlagIn<RowsOf<C>, F> }

/** Flags of any command. */
export type Flags = { [F in FlagName]?: Typed<RowNamed<Section['rows'], F>> | undefined }

export interface Row extends Details {
  kind: Kind
  help: string
  flag: FlagName
  group: string
  commands: readonly CommandName[]
}

export const rows: readonly Row[] = sections.flatMap(({ group, commands, rows }) =>
  Object.entries<Setting>(rows).map(([flag, [kind, help, details]]) => ({
    ...{ kind, help, ...details },
    ...{ flag: flag as FlagName, group, commands },
  })),
)

export function rowsOf(command: CommandName): Row[] {
  return rows.filter(({ commands }) => commands.includes(command))
}

export function isList({ kind, isList }: Row): boolean {
  return isList === true || kind === 'limits' || kind === 'caps'
}

export function isPath({ kind }: Row): boolean {
  return kind === 'file' || kind === 'directory'
}

/** With how often it may be given, its default and its variable. */
export function helpOf(row: Row): string {
  const fallback = row.default ?? row.otherwise
  return [
    row.help,
    ...(isList(row) ? ['(repeatable)'] : []),
    ...(fallback === undefined ? [] : [`(${fallback})`]),
    ...(row.variable === undefined ? [] : [`[${row.variable}]`]),
  ].join(' ')
}

/** `--share PERCENT`, as it is written. */
export function usageOf({ flag, kind, placeholder }: Row): string {
  return `--${flag} ${placeholder ?? kinds[kind].placeholder}`.trimEnd()
}

/** What a value of the row is, once it is checked. */
export type ValueOf<R> = R extends readonly [infer K extends Kind, ...unknown[]]
  ? ReturnType<(typeof kinds)[K]['parse']>
  : never
type RowOf<F, C> = RowNamed<RowsOf<C>, F>
type NotTyped<R> = R extends Having<{ default: string } | { isRequired: true }> ? never : undefined

/**
 * The value of a flag, checked; undefined when it was not typed. The command is needed for a flag that means
 * different things. Throws a UsageError.
 */
export function typedIn<F extends FlagName, C extends CommandName = CommandName>(
  flags: Pick<Flags, F>,
  flag: F,
  command?: C,
): ValueOf<RowOf<F, C>> | undefined {
  const typed = flags[flag]
  return typed === undefined ? undefined : (parse(rowNamed(flag, command), typed) as ValueOf<RowOf<F, C>>)
}

/** The same; its default when it was not typed. */
export function valueIn<F extends FlagName, C extends CommandName = CommandName>(
  flags: Pick<Flags, F>,
  flag: F,
  command?: C,
): ValueOf<RowOf<F, C>> | NotTyped<RowOf<F, C>> {
  const row = rowNamed(flag, command)
  return (typedIn(flags, flag, command) ?? (row.default && parse(row, row.default))) as ValueOf<RowOf<F, C>>
}

/** Checks what was typed, and makes it a value. Throws a UsageError that names the flag. */
export function parse(row: Row, typed: unknown): unknown {
  const read = kinds[row.kind].parse as (typed: unknown, flag: string, row: Row) => unknown
  return read(typed, `--${row.flag}`, row)
}

export function rowNamed(flag: FlagName, command?: CommandName): Row {
  const named = (command === undefined ? rows : rowsOf(command)).filter((row) => row.flag === flag)
  const [row] = named
  if (
    row === undefined ||
    named.some(({ kind, default: value }) => kind !== row.kind || value !== row.default)
  )
    throw new Error(`--${flag} is not one thing: say of which command`)
  return row
}

/** Words of a command line as far as they can be told apart before all flags are declared. */
export interface Words {
  /** The command first. */
  positionals: string[]
  /** Flags as they were typed, without dashes, and their values. */
  typed: Map<string, string>
  /** The last word is a flag whose value is still to come. */
  open: string | null
}

/** Reads words as yargs will. A flag that is no row takes a value, if one follows, unless it is a switch. */
export function readWords(
  words: readonly string[],
  command: CommandName,
  isSwitch: (flag: string) => boolean = () => false,
): Words {
  const own = rowsOf(command)
  const positionals: string[] = []
  const typed = new Map<string, string>()
  let open: string | null = null
  for (const [index, word] of words.entries()) {
    const [, dashes, name, value] = /^(--?)(?:no-)?([^=-][^=]*)(?:=(.*))?$/s.exec(word) ?? []
    if (word === '--') return { positionals: [...positionals, ...words.slice(index + 1)], typed, open: null }
    if (name === undefined) {
      if (open === null) positionals.push(word)
      else typed.set(open, word)
      open = null
      continue
    }
    // In a row of letters, the last one may take a value.
    const flag = dashes === '--' ? name : name.at(-1)!
    const row = own.find((row) => row.flag === flag || row.alias === flag)
    const known = row?.flag ?? flag
    typed.set(known, value ?? '')
    const isAlone = value !== undefined || (row === undefined ? isSwitch(flag) : row.kind === 'switch')
    open = isAlone ? null : known
  }
  return { positionals, typed, open }
}
