import { mkdirSync } from 'node:fs'
import { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { runDirectory, writeRunFile } from '../../src/checkpoint/directory.js'
import type { LifecycleEvent } from '../../src/checkpoint/events.js'
import { firstHead } from '../../src/checkpoint/log.js'
import type { RunFile } from '../../src/checkpoint/run-file.js'
import type { Outcome, SettledItem } from '../../src/item.js'
import { htmlReport } from '../../src/reports/html.js'
import { reportedRun, writeReportFile } from '../../src/reports/report.js'
import { returned, sent } from '../checkpoint/made-events.js'
import { runFile } from './reported.js'

/** Unlike `Omit`, of each event by itself. */
type WithoutTime<E> = E extends unknown ? Omit<E, 'at'> : never

export const ended: Outcome = { status: 'succeeded', reason: 'ended', httpStatus: 200, message: '' }
export const notFound: Outcome = {
  status: 'failed',
  reason: 'not_found',
  httpStatus: 404,
  message: 'Conversation was not found',
}

/** A run that a test makes up: a real directory with a real checkpoint, and a clock that the test winds. */
export interface MadeRun {
  ms: number
  event(event: WithoutTime<LifecycleEvent>): void
  start(event?: 'started' | 'resumed', settings?: Partial<RunFile['settings']>): void
  /** Settles the next item, by a call that takes so long; of 0 ms, without a call. */
  settle(outcome: Outcome, callMs?: number, item?: Partial<SettledItem>): void
  /** A call for the next item that settles nothing. */
  comeToNothing(outcome: Outcome, callMs: number): void
}

/** Writes run.json, checkpoint and report.html, and says where the report lies. */
export async function makeRun(
  path: string,
  happens: (run: MadeRun) => void,
  asked: Partial<RunFile> & { left?: number } = {},
): Promise<string> {
  mkdirSync(path, { recursive: true })
  const directory = runDirectory(path)
  const checkpoint = new Checkpoint(directory.checkpoint, { bytes: 0, head: firstHead })
  const recorded: Promise<void>[] = []
  let ordinal = 0
  const { left = 0, ...fields } = asked
  const run: RunFile = { ...runFile, ...fields }
  const at = (ms: number) => new Date(ms).toISOString()
  const id = () => `66f2a91c4be07d3f${ordinal.toString(16).padStart(8, '0')}`
  const next = () => ({ ordinal, id: id(), source: 'stale.csv', line: ordinal + 2, record: () => ({}) })
  const made: MadeRun = {
    ms: Date.parse(run.startedAt),
    event: (event) => void recorded.push(checkpoint.record({ ...event, at: at(made.ms) } as LifecycleEvent)),
    start: (event = 'started', settings = {}) =>
      made.event({
        event,
        by: 'kim',
        host: 'ops',
        pid: 4711,
        version: '0.1.0',
        confirmed: 1,
        settings: { ...run.settings, ...settings },
      }),
    settle(outcome, callMs = 100, item = {}) {
      if (callMs > 0) checkpoint.note(sent(next(), at(made.ms), false))
      const { record: _, ...known } = next()
      checkpoint.add({
        event: 'settled',
        settled: {
          ...known,
          ...outcome,
          attempts: callMs > 0 ? 1 : 0,
          finishedAt: at(made.ms + callMs),
          durationMs: callMs,
          ...item,
        },
      })
      ordinal += 1
    },
    comeToNothing(outcome, callMs) {
      checkpoint.note(sent(next(), at(made.ms), false))
      checkpoint.note(returned(next(), at(made.ms + callMs), outcome, false))
    },
  }
  happens(made)
  await Promise.all(recorded)
  await checkpoint.close()
  writeRunFile(directory, { ...run, plan: { read: ordinal + left, calls: ordinal + left } })
  const file = `${path}/${htmlReport.fileName}`
  await writeReportFile(htmlReport, reportedRun(directory), file)
  return file
}
