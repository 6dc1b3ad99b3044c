import type { LifecycleEvent } from '../checkpoint/events.js'
import { type History, withAcceptedInput, withHoldLists } from '../checkpoint/history.js'
import type { RunRecord } from '../checkpoint/items.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { Tally } from '../checkpoint/summary.js'
import type { SettledItem } from '../item.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { Durations, FailureGroups, Pace, Rows } from './html-figures.js'
import { type Counts, count, Timeline } from './html-timeline.js'

/** All that the page says about a run, as plain JSON, but for the rows of its table. */
export type PageModel = ReturnType<ReturnType<typeof openModel>['model']>

/** Takes the history and the items of a run. The rows may be many. */
export function openModel(run: RunFile) {
  const startedMs = Date.parse(run.startedAt)
  const tally = new Tally()
  const failures = new FailureGroups()
  const rows = new Rows(startedMs)
  const timeline = new Timeline()
  const itemTimes = new Durations()
  const events: LifecycleEvent[] = []
  const pace = new Pace(run.settings)
  const answerTimes = new Durations()
  const retries: Counts = new Map()
  const waits: Counts = new Map()
  let calls = 0
  const history: History = {
    onEvent(event) {
      timeline.onEvent(event)
      pace.onEvent(event)
      if (event.event !== 'waited') events.push(event)
      else for (const [what, ms] of Object.entries(event.ms)) count(waits, what, ms)
    },
    onCall(atMs) {
      calls += 1
      timeline.seen(atMs)
      pace.onCall(atMs)
      timeline.add(atMs, 'calls')
    },
    onAnswer: (ms) => answerTimes.add(ms),
    onBack: (reason) => count(retries, reason),
    onSettled: (atMs) => timeline.seen(atMs),
  }

  function add(items: readonly SettledItem[]): void {
    for (const item of items) {
      const finishedMs = Date.parse(item.finishedAt)
      tally.add(item.status, item.reason)
      failures.add(item)
      rows.add(item, finishedMs)
      if (item.attempts === 0) continue
      timeline.add(finishedMs, item.status)
      itemTimes.add(item.durationMs)
    }
  }

  function model({ head, lastMs }: Pick<RunRecord, 'head' | 'lastMs'>) {
    const accepted = withHoldLists(withAcceptedInput(run, { events }), { events })
    const { executions, workedMs } = timeline
    const fromMs = executions[0]?.fromMs ?? startedMs
    return {
      run: {
        name: run.run,
        job: run.job,
        jobFlags: run.jobFlags,
        instance: run.instance,
        isSandbox: run.isSandbox,
        isPractice: run.isSandbox || run.isPractice === true,
        settings: run.settings,
        live: run.live,
        retryOf: run.retryOf,
        version: run.adaBulk,
        node: run.node,
        by: run.by,
        host: run.host,
      },
      input: accepted.input.map(withoutPath),
      hold: run.hold.map(withoutPath),
      totals: tally.totals(accepted.plan.read),
      reasons: tally.reasons(),
      failures: failures.summary(),
      calls,
      /** Calls that settled nothing, by reason. */
      retries: [...retries],
      /** Milliseconds by what was waited for, the longest first. */
      waits: [...waits].sort(([, a], [, b]) => b - a),
      fromMs,
      toMs: Number.isFinite(lastMs) ? lastMs : fromMs,
      workedMs,
      executions: executions.length,
      /** Null before the first start, while the run is at work, and where its last process died. */
      end: executions.at(-1)?.end ?? null,
      events: events.map((event) =>
        event.event === 'input-changed' ? { ...event, input: event.input.map(withoutPath) } : event,
      ),
      head,
      charts: timeline.charts((atMs) => pace.perMinute(atMs)),
      pace: pace.summary(),
      /** From call to answer. */
      answerTimes: answerTimes.summary(),
      answerBars: answerTimes.bars(),
      /** From an item's first call to its outcome. */
      itemTimes: itemTimes.summary(),
      table: rows.summary(),
    }
  }

  return { history, add, model, rows }
}

/** A report is handed on, and does not tell where files lie. */
function withoutPath({ name, bytes, sha256 }: Fingerprinted): Omit<Fingerprinted, 'path'> {
  return { name, bytes, sha256 }
}
