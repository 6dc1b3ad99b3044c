import { expect, test } from 'vitest'
import yargs from 'yargs'
import { nameIn } from '../../src/commands/command.js'
import { commands } from '../../src/commands/commands.js'
import { declare } from '../../src/commands/parser.js'
import { helpOf, rows, rowsOf, typedIn, valueIn } from '../../src/settings/flags.js'
import { UsageError } from '../../src/system/errors.js'

const names = commands.map(([words]) => nameIn(words))

/** What yargs knows of a command's flags; its types leave it out. */
interface Declared {
  key: object
  alias: Record<string, string[]>
  array: string[]
}

async function declaredBy(name: string): Promise<Declared> {
  const parser = yargs([name]).help(false).version(false)
  const [words, , load] = commands.find(([words]) => nameIn(words) === name)!
  await declare(parser, words, (await load()).command, [name])
  return (parser as unknown as { getOptions(): Declared }).getOptions()
}

test.each(names)('every flag of %s is a row of the table, and every row a flag', async (name) => {
  const { key, alias, array } = await declaredBy(name)
  const aliases = Object.values(alias).flat()
  const flags = Object.keys(key).filter((flag) => !['run', 'job'].includes(flag) && !aliases.includes(flag))
  const own = rowsOf(name)
  expect(flags.sort()).toEqual(own.map(({ flag }) => flag).sort())
  // A list that is not declared as one would be refused when it is given twice.
  expect(array.filter((flag) => own.every((row) => row.flag !== flag && row.alias !== flag))).toEqual([])
})

test('a flag of a command has one row', () => {
  for (const name of names) {
    const flags = rowsOf(name).map(({ flag }) => flag)
    expect(flags, name).toEqual([...new Set(flags)])
  }
})

test('a flag that means different things is read by its command', () => {
  expect(typedIn({ limit: ['none'] }, 'limit', 'sandbox')).toBe('none')
  expect(() => typedIn({ limit: ['none'] }, 'limit', 'throttle')).toThrow(UsageError)
  expect(() => typedIn({ limit: ['none'] }, 'limit')).toThrow('--limit is not one thing')
  expect(valueIn({}, 'format', 'report')).toBe('csv')
})

test('every command of a row is one, and every row has a help text of one line', () => {
  for (const row of rows) {
    expect(row.commands.filter((name) => !names.includes(name))).toEqual([])
    expect(row.help, row.flag).toMatch(/^\S.{5,110}$/)
    expect(row.help, row.flag).not.toMatch(/^Of |\.$/)
  }
})

test('help names the default, the variable, and what may be repeated', () => {
  const helpOfFlag = (flag: string) => helpOf(rows.find((row) => row.flag === flag)!)
  expect(helpOfFlag('share')).toMatch(/ \(80%\)$/)
  expect(helpOfFlag('runs-dir')).toMatch(/ \(runs\) \[ADA_BULK_RUNS\]$/)
  expect(helpOfFlag('notify')).toMatch(/ \(repeatable\) \[ADA_BULK_NOTIFY\]$/)
})
