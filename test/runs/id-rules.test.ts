import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { RunFile } from '../../src/checkpoint/run-file.js'
import { recordedIdRules } from '../../src/runs/id-rules.js'
import { runFile } from '../reports/reported.js'

const place = mkdtempSync(join(tmpdir(), 'ada-bulk-id-rules-'))
afterAll(() => rmSync(place, { recursive: true }))

const rulesOf = (asked: Partial<RunFile>) => recordedIdRules({ ...runFile, ...asked }, null)

test('how a recorded run finds its IDs is read from run.json, whatever its job is', async () => {
  const ids = { columns: ['ticket'], isFree: true }
  expect(await rulesOf({ job: '/gone/my-job.ts', ids })).toEqual(ids)
})

test('a run of version 0.1, which does not say it, has the rules of its built-in job', async () => {
  expect(await rulesOf({ job: 'end-conversations' })).toEqual({ isFree: false, isAsBefore: true })
  expect(await rulesOf({ job: 'erase-end-users', jobFlags: { by: 'email' } })).toMatchObject({ isFree: true })
})

test('a job file that a record names is not run', async () => {
  const job = join(place, 'job.mjs')
  const trace = join(place, 'was-run')
  writeFileSync(job, `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(trace)}, '')`)
  for (const name of [job, `${job}?`, 'no-such-job', '../job.mjs'])
    expect(await rulesOf({ job: name })).toBeNull()
  expect(existsSync(trace)).toBe(false)
})
