import type { EndEvent, LifecycleEvent } from '../checkpoint/events.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { Tally } from '../checkpoint/summary.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { Durations, FailureGroups, Pace, Rows } from './html-figures.js'
import { type Counts, chartsOf, count, type Span, Timeline } from './html-timeline.js'
import type { ReportedRun } from './report.js'

/** All that the page says about a run, as plain JSON, but for the rows of its table. */
export type PageModel = Awaited<ReturnType<typeof readModel>>['model']

/** Reads the run once for its items and once for its history. `rows` are JSON, as they may be many. */
export async function readModel({ run, items, history }: ReportedRun) {
  const startedMs = Date.parse(run.startedAt)
  const tally = new Tally()
  const failures = new FailureGroups()
  const rows = new Rows(startedMs)
  const timeline = new Timeline()
  const itemTimes = new Durations()
  for await (const batch of items()) {
    for (const item of batch) {
      const finishedMs = Date.parse(item.finishedAt)
      tally.add(item.status, item.reason)
      failures.add(item)
      rows.add(item, finishedMs)
      if (item.attempts === 0) continue
      timeline.add(finishedMs, item.status)
      itemTimes.add(item.durationMs)
    }
  }

  const events: LifecycleEvent[] = []
  const executions = new Executions()
  const pace = new Pace(run.settings)
  const answerTimes = new Durations()
  const retries: Counts = new Map()
  const waits: Counts = new Map()
  let calls = 0
  const { head, lastMs } = history({
    onEvent(event) {
      executions.onEvent(event)
      pace.onEvent(event)
      if (event.event !== 'waited') events.push(event)
      else for (const [what, ms] of Object.entries(event.ms)) count(waits, what, ms)
    },
    onCall(atMs) {
      calls += 1
      executions.seen(atMs)
      pace.onCall(atMs)
      timeline.add(atMs, 'calls')
    },
    onAnswer: (ms) => answerTimes.add(ms),
    onBack: (reason) => count(retries, reason),
    onSettled: (atMs) => executions.seen(atMs),
  })
  const accepted = withAcceptedInput(run, { events })
  const { list, pauses } = executions
  const fromMs = list[0]?.fromMs ?? startedMs
  const model = {
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
    workedMs: list.reduce((sum, execution) => sum + execution.toMs - execution.fromMs, 0),
    executions: list.length,
    /** Null before the first start, while the run is at work, and where its last process died. */
    end: list.at(-1)?.end ?? null,
    events: events.map((event) =>
      event.event === 'input-changed' ? { ...event, input: event.input.map(withoutPath) } : event,
    ),
    head,
    charts: chartsOf(timeline, list, pauses, (atMs) => pace.perMinute(atMs)),
    pace: pace.summary(),
    /** From call to answer. */
    answerTimes: answerTimes.summary(),
    answerBars: answerTimes.bars(),
    /** From an item's first call to its outcome. */
    itemTimes: itemTimes.summary(),
    table: rows.summary(),
  }
  return { model, rows: rows.shown }
}

/** The path of a file is nobody's business but its owner's. */
function withoutPath({ name, bytes, sha256 }: Fingerprinted): Omit<Fingerprinted, 'path'> {
  return { name, bytes, sha256 }
}

/** Which processes worked on the run, and when. */
class Executions {
  readonly list: (Span & { end: EndEvent | null })[] = []
  readonly pauses: Span[] = []

  /** Something happened; an execution without an end lasted at least until then. */
  seen(atMs: number): void {
    const last = this.list.at(-1)
    if (last !== undefined && last.end === null && atMs > last.toMs) last.toMs = atMs
  }

  onEvent(event: LifecycleEvent): void {
    const atMs = Date.parse(event.at)
    const [execution, pause] = [this.list.at(-1), this.pauses.at(-1)]
    switch (event.event) {
      case 'started':
      case 'resumed':
        this.list.push({ fromMs: atMs, toMs: atMs, end: null })
        break
      case 'stopped':
      case 'finished':
        this.seen(atMs)
        if (execution !== undefined) execution.end = event
        break
      case 'paused':
        this.pauses.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
        break
      case 'continued':
        if (pause !== undefined) pause.toMs = Math.min(pause.toMs, atMs)
        break
      case 'waited':
        this.seen(atMs)
    }
  }
}
