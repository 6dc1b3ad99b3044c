import { join } from 'node:path'
import { beforeAll } from 'vitest'
import { type Recorded, recordRun } from './verify-recorded-run.js'

export let run: Recorded
export let lines: string[]
export let checkpoint: string
export let summary: string
export let report: string
beforeAll(async () => {
  run = await recordRun()
  lines = run.lines()
  checkpoint = join(run.directory, 'checkpoint.jsonl')
  summary = join(run.directory, 'summary.json')
  report = join(run.directory, 'report.csv')
})

export const settings = { format: 'auto', idColumn: null, acceptTruncated: false }

/** The number of the line that a finding names first. */
export const named = (finding = '') => Number(/line (\d+)/.exec(finding)?.[1] ?? 0)
