import { expect, test } from 'vitest'
import { addCounts, complaintOf, noCounts, type Played, resultOf } from './result.js'

test('the tables say how often what happened, and of how many runs what did not hold', () => {
  const total = noCounts()
  addCounts(total, { ...noCounts(), runs: 1, calls: 1200, fullDisks: 1, fullAt: { 'report.csv': 1 } })
  addCounts(total, { ...noCounts(), runs: 1, fullDisks: 2, fullAt: { 'report.csv': 1, 'run.json': 1 } })
  const failed: Played[] = [
    {
      seed: 7,
      counts: noCounts(),
      offences: ['no ID is lost: row 1 is gone', 'no ID is lost: row 2 is gone'],
    },
  ]
  const text = resultOf(total, failed, '5.0 minutes, seeds 6 to 7')
  expect(text).toMatch(
    /^\d{4}-\d\d-\d\d, \d+ cores .*, Node v.*, 5\.0 minutes, seeds 6 to 7\.\n\n\| what happened /,
  )
  expect(text).toContain('\n| runs | 2 |\n')
  expect(text).toContain('\n| calls | 1,200 |\n')
  expect(text).toContain(
    '\n| disk full when report.csv is written | 2 |\n| disk full when run.json is written | 1 |\n',
  )
  expect(text).toContain('\n| no ID is lost | 1 |\n| only what is asked for is called | 0 |\n')
})

test('a failure says its seed, and how to play it again', () => {
  expect(complaintOf({ seed: 7, counts: noCounts(), offences: ['no ID is lost: row 1 is gone'] })).toBe(
    'Seed 7:\n  no ID is lost: row 1 is gone\n  The same again: npm run torture -- --seed 7 --runs 1\n',
  )
})
