import { execFileSync } from 'node:child_process'
import { Cron } from 'croner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { crontab } from '../../../src/commands/schedule/crontab.js'
import type { Task } from '../../../src/commands/schedule/schedule.js'
import { UsageError } from '../../../src/system/errors.js'
import { commandOfCron } from './cron-reading.js'
import { anyWords, nastyWords, taskOf, textOf } from './tasks.js'

const lineOf = (task: Task) => textOf(crontab.files(task), '.crontab').trimEnd().split('\n').at(-1)!

/** The words as the shell that cron starts gives them to a program. */
function wordsThroughCron(words: readonly string[]): string[] {
  const line = lineOf(taskOf({ program: ['printf', '%s\\0'], words: ['--quiet', ...words], secrets: [] }))
  const command = commandOfCron(line)
  return execFileSync('/bin/sh', ['-c', command], { encoding: 'utf8', env: {} }).split('\0').slice(1, -1)
}

test('every word comes through cron and its shell as it was typed', () => {
  expect(wordsThroughCron(nastyWords)).toEqual(nastyWords)
  fc.assert(
    fc.property(anyWords, (words) => {
      expect(wordsThroughCron(words)).toEqual(words)
    }),
    { numRuns: 100 },
  )
})

test('the time is one that a library for cron reads', () => {
  const line = lineOf(taskOf())
  const next = new Cron(line.split(' ').slice(0, 5).join(' '), { timezone: 'UTC', paused: true })
  expect(next.nextRun('2026-11-22T12:00:00Z')?.toISOString()).toBe('2026-11-23T03:00:00.000Z')
})

test('the run is quiet unless the flags say otherwise, and takes the key from a file', () => {
  expect(lineOf(taskOf())).toMatch(/ --yes --continue --quiet --env-file \/etc\/ada-bulk\/env \|\|/)
  expect(lineOf(taskOf({ words: ['run', 'cleanup', '--no-quiet'], secrets: [] }))).toMatch(
    /cleanup --no-quiet \|\|/,
  )
})

test('a command that cron would cut off is refused', () => {
  const words = ['run', 'end-conversations', '--input', `/${'long/'.repeat(200)}stale.csv`]
  expect(() => crontab.files(taskOf({ words }))).toThrow(UsageError)
  expect(() => crontab.files(taskOf({ words }))).toThrow('998')
})
