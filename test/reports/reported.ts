import { type RunFile, runFileSchema } from '../../src/checkpoint/run-file.js'
import type { SettledItem } from '../../src/item.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import type { ReportedRun } from '../../src/reports/report.js'
import { newSettings } from '../../src/settings/run-settings.js'

/** What was asked of a run that reports are written of. */
export const runFile: RunFile = runFileSchema.parse({
  version: 1,
  run: 'end-conversations-2026-11-22T09-00-00',
  job: 'end-conversations',
  jobFlags: {},
  instance: 'https://acme.ada.support',
  isSandbox: false,
  isParallel: false,
  settings: newSettings({}, { operation: endConversation }),
  input: [{ name: 'stale.csv', path: '/in/stale.csv', sha256: 'ab12'.repeat(16), bytes: 1234 }],
  hold: [],
  plan: { read: 0, calls: 0 },
  live: null,
  retryOf: null,
  adaBulk: '0.1.0',
  node: 'v20.20.2',
  startedAt: '2026-11-22T09:00:00.000Z',
  by: 'kim',
  host: 'ops',
})

/** A run that settled these items. */
export function runOf(items: () => AsyncIterable<readonly SettledItem[]>): ReportedRun {
  return { run: runFile, read: () => ({ items: items(), head: '', lastMs: 0 }) }
}
