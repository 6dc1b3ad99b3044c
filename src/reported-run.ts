import { readHistory } from './checkpoint/history.js'
import { settledItems } from './checkpoint/rows.js'
import type { ReportedRun } from './reports/report.js'
import { type RunDirectory, readRunFile } from './run-directory.js'

/** What reports are made from: run.json and the checkpoint, so that they are the same whenever and wherever they are written. `bytesMax`: of its first bytes only. */
export function reportedRun(directory: RunDirectory, bytesMax?: number): ReportedRun {
  return {
    run: readRunFile(directory),
    items: () => settledItems(directory.checkpoint, bytesMax),
    history: (see) => readHistory(directory.checkpoint, see, bytesMax),
  }
}
