import { expect, test } from 'vitest'
import { suggestion } from '../../src/system/suggestion.js'

const commands = ['run', 'plan', 'resume', 'retry', 'status', 'report', 'export', 'schedule', 'jobs']
const flags = ['max-items', 'max-duration', 'check-first', 'concurrency', 'api-key-file', 'handle', 'hours']

test.each([
  ['rum', commands, 'run'],
  ['RUN', commands, 'run'],
  ['rnu', commands, 'run'],
  ['reusme', commands, 'resume'],
  ['stat', commands, 'status'],
  ['job', commands, 'jobs'],
  ['sheduel', commands, 'schedule'],
  ['purge', commands, null],
  ['xyzzy', commands, null],
  ['', commands, null],
  ['max-itmes', flags, 'max-items'],
  ['maxItems', flags, 'max-items'],
  ['concurency', flags, 'concurrency'],
  ['api-key', flags, 'api-key-file'],
  ['force', flags, null],
  ['run', [], null],
])('%j probably means %3$j', (word, known, meant) => {
  expect(suggestion(word, known)).toBe(meant)
})
