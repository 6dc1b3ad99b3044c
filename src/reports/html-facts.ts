import type { CheckpointEvent } from '../checkpoint/checkpoint.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { Tally, type Totals } from '../checkpoint/tally.js'
import { callsColumn, columnCount, columnOf } from './html-charts.js'
import { Durations } from './html-durations.js'
import { Executions } from './html-executions.js'
import { Pace } from './html-pace.js'
import { ReportRows } from './html-rows.js'
import { Timeline } from './html-timeline.js'
import { Troubles } from './html-troubles.js'
import type { ReportedRun } from './report.js'

/** All that the page says about a run. */
export interface Facts {
  /** With the input as it was last accepted. */
  run: RunFile
  events: readonly CheckpointEvent[]
  executions: Executions
  totals: Totals
  reasons: Record<string, number>
  /** When the last thing happened; null when nothing has. */
  lastMs: number | null
  head: string
  calls: number
  /** Calls that settled nothing, by reason. */
  back: ReadonlyMap<string, number>
  /** Milliseconds by what was waited for. */
  waited: ReadonlyMap<string, number>
  pace: Pace
  timeline: Timeline
  /** From call to answer. */
  answerTimes: Durations
  /** From an item's first call to its outcome. */
  itemTimes: Durations
  troubles: Troubles
  rows: ReportRows
}

/** Reads the run once for its items and once for its calls, in memory that does not grow with them. */
export async function factsOf(reported: ReportedRun): Promise<Facts> {
  const { run } = reported
  const timeline = new Timeline(columnCount)
  const itemTimes = new Durations()
  const troubles = new Troubles()
  const rows = new ReportRows(Date.parse(run.startedAt))
  const tally = new Tally()
  for await (const batch of reported.items()) {
    for (const item of batch) {
      const finishedMs = Date.parse(item.finishedAt)
      tally.add(item.status, item.reason)
      troubles.add(item)
      rows.add(item, finishedMs)
      if (item.attempts === 0) continue
      timeline.add(finishedMs, columnOf(item.status))
      itemTimes.add(item.durationMs)
    }
  }

  const events: CheckpointEvent[] = []
  const executions = new Executions()
  const answerTimes = new Durations()
  const pace = new Pace(run.settings)
  const back = new Map<string, number>()
  const waited = new Map<string, number>()
  let calls = 0
  const { head, lastMs } = reported.history({
    onEvent(event) {
      executions.add(event)
      pace.addEvent(event)
      if (event.event !== 'waited') events.push(event)
      else for (const [what, ms] of Object.entries(event.ms)) add(waited, what, ms)
    },
    onCall(atMs) {
      calls += 1
      executions.seen(atMs)
      pace.addCall(atMs)
      timeline.add(atMs, callsColumn)
    },
    onAnswer: (ms) => answerTimes.add(ms),
    onBack: (reason) => add(back, reason, 1),
    onSettled: (atMs) => executions.seen(atMs),
  })
  const accepted = withAcceptedInput(run, { events })
  return {
    run: accepted,
    events,
    executions,
    totals: tally.totals(accepted.plan.read),
    reasons: tally.reasons(),
    lastMs: Number.isFinite(lastMs) ? lastMs : null,
    head,
    calls,
    back,
    waited,
    pace,
    timeline,
    answerTimes,
    itemTimes,
    troubles,
    rows,
  }
}

function add(counts: Map<string, number>, name: string, times: number): void {
  counts.set(name, (counts.get(name) ?? 0) + times)
}
