import { readHistory } from './checkpoint/history.js'
import { settledItems } from './checkpoint/rows.js'
import type { ReportedRun } from './reports/report.js'
import { type RunDirectory, readRunFile } from './run-directory.js'

/** What reports are made from: run.json and the checkpoint, so that they are the same whenever they are written. */
export function reportedRun(directory: RunDirectory): ReportedRun {
  return {
    run: readRunFile(directory),
    directory: directory.path,
    items: () => settledItems(directory.checkpoint),
    history: (see) => readHistory(directory.checkpoint, see),
  }
}
