import { expect, test } from 'vitest'
import { namedFiles, requiredInput } from '../../src/commands/input.js'
import { UsageError } from '../../src/system/errors.js'

test('files keep the name that the person gave and lie where that leads', () => {
  expect(namedFiles(undefined)).toEqual([])
  expect(namedFiles(['lists/a.csv', '/in/b.csv'])).toEqual([
    { name: 'lists/a.csv', path: `${process.cwd()}/lists/a.csv` },
    { name: '/in/b.csv', path: '/in/b.csv' },
  ])
})

test('an input has to be named', () => {
  const flagsOf = (input?: string[]) => ({ input }) as Parameters<typeof requiredInput>[0]
  expect(requiredInput(flagsOf(['-']))).toEqual(['-'])
  for (const flags of [flagsOf(), flagsOf([])]) expect(() => requiredInput(flags)).toThrow(UsageError)
})
