import { type RunDirectory, writeSummary } from '../checkpoint/directory.js'
import { LogWriteError } from '../checkpoint/log.js'
import { type CheckpointState, readCheckpoint } from '../checkpoint/read.js'
import { settledItems } from '../checkpoint/rows.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { recentlySubmittedOf } from '../filters/cooldown.js'
import { updatedMsOf } from '../filters/record-dates.js'
import type { Memory } from '../filters/settled-before.js'
import { isOnBatches, type Job, withFlags } from '../job.js'
import type { RunView } from '../monitor/progress.js'
import { openMemoryLedger } from '../pacing/memory.js'
import { whileHeld } from '../pacing/patience.js'
import { csvReport } from '../reports/csv.js'
import { htmlReport } from '../reports/html.js'
import { reportedRun, writeReportFile } from '../reports/report.js'
import { openInput } from '../sources/input.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import type { Clock } from '../system/clock.js'
import type { Logger } from '../system/log.js'
import type { Stop } from '../system/stop.js'
import { messageOf } from '../system/text.js'
import { version } from '../system/version.js'
import type { Coordination, RunLock } from './coordination.js'
import { execute } from './execute.js'
import { filtersOfRun } from './filters.js'
import { idRulesOf } from './id-rules.js'
import { ledgerName } from './recent-calls.js'

/** One execution of a run that has its directory, its run.json and its locks: the first, or a resumed one. */
export interface Launch {
  directory: RunDirectory
  /** With the input as it is now. */
  run: RunFile
  /** What the checkpoint says; of a new run, nothing. */
  state: CheckpointState
  job: Job
  key: string
  /** Where calls go to: the instance, or the sandbox that stands for it. */
  origin: string
  coordination: Coordination
  /** What this process must hold to work on the run. */
  lock: RunLock
  stop: Stop
  maxItems: number
  /** How long to ask for what became of a batch before the run stops for now (10 minutes). */
  pollForMs?: number
  /** Null where the books keep the IDs. */
  pseudonyms?: Pseudonyms | null
  confirmed: number
  /** Of a job that remembers what it has settled. */
  memory: Memory | null
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  log: Logger
  onStart: (view: () => RunView) => void
  /** The input is counted and the place in it found: what follows takes as long as the limits want. */
  onFirstItem?: () => void
}

const defaultPollForMs = 600_000

/** Runs until the end or a stop, and leaves report and summary. Throws a UsageError when it cannot start. */
export async function launch(launch: Launch): Promise<Summary> {
  const { directory, run, state, memory, stop, clock, random, log } = launch
  const isResumed = state.events.length > 0
  const { job } = launch
  const { stateDirectory } = launch.coordination
  const recent = recentlySubmittedOf(job, { ...launch, stateDirectory })
  const { filters, hold } = await filtersOfRun(run, job, memory, recent)
  const ids = idRulesOf(job, run.jobFlags, launch.pseudonyms)
  const ledger = run.isSandbox
    ? openMemoryLedger(clock)
    : whileHeld(
        await launch.coordination.openLedger(ledgerName(launch.origin, job.operation)),
        launch.lock.isHeld,
      )
  launch.lock.whenLost(({ pid, host }) => {
    stop.request({ exitCode: 75, because: `process ${pid} on ${host} has taken the lock of the run` })
    stop.abortCalls()
  })
  try {
    const { exitCode, stoppedBecause, head } = await execute({
      run,
      directory,
      state,
      input: {
        ...(await openInput(run.input, { ...run.settings, ids }, filters)),
        // The input's fingerprint was compared just now.
        isFreeOfDuplicates: run.duplicates === 0,
        isSettled: (ordinal) => state.settled.has(ordinal),
      },
      operation: withFlags(job.operation, run.jobFlags),
      recent,
      pollForMs: launch.pollForMs ?? defaultPollForMs,
      hold,
      origin: launch.origin,
      key: launch.key,
      ledger,
      stop,
      maxItems: launch.maxItems,
      confirmed: launch.confirmed,
      clock,
      random,
      log,
      onSettled: (item, settled) =>
        memory?.remember(item.id, updatedMsOf(item.record()), settled, Date.parse(settled.finishedAt)),
      onStart: launch.onStart,
      onFirstItem: launch.onFirstItem ?? (() => {}),
    })
    // What could not be written may be written all the same, in part: the checkpoint knows.
    const { tally, requests } = exitCode === 4 ? readCheckpoint(directory.checkpoint) : state
    const forgot = stoppedBecause === null ? await closeNight(launch, isResumed) : null
    const summary: Summary = {
      run: run.run,
      directory: directory.path,
      job: jobShortName(run.job),
      instance: run.instance,
      retryOf: run.retryOf,
      ...(isOnBatches(job.operation) || run.pseudonyms !== undefined ? { isRetriable: false } : {}),
      startedAt: run.startedAt,
      finishedAt: new Date(clock.wallMs()).toISOString(),
      exitCode: forgot === null ? exitCode : 4,
      stoppedBecause: stoppedBecause ?? forgot,
      totals: tally.totals(run.plan.read),
      reasons: tally.reasons(),
      requests,
      input: run.input.map(({ name, sha256, bytes }) => ({ path: name, sha256, bytes })),
      checkpointHead: head,
      version,
    }
    await leaveReports(directory, summary, log)
    return summary
  } finally {
    await ledger.close()
  }
}

/** A job that remembers begins next time where this run ended. Says what kept it from that; null when nothing did. */
async function closeNight({ directory, run, memory }: Launch, isResumed: boolean): Promise<string | null> {
  if (memory === null || run.live === null) return null
  try {
    // A crash may have come between an item's line in the checkpoint and its line in the memory.
    if (isResumed) {
      for await (const batch of settledItems(directory.checkpoint)) {
        for (const settled of batch) memory.catchUp(settled, run.live.fromMs)
      }
    }
    memory.finished(run.live, Date.parse(run.startedAt))
    return null
  } catch (error) {
    if (!(error instanceof LogWriteError)) throw error
    return `${error.message}; the next run begins where this one began`
  }
}

/** Reports are made from the checkpoint; if there is no room for one, it can be written later. */
async function leaveReports(directory: RunDirectory, summary: Summary, log: Logger): Promise<void> {
  const run = reportedRun(directory)
  for (const report of [csvReport, htmlReport]) {
    await writeReportFile(report, run, `${directory.path}/${report.fileName}`).catch((error) => {
      cannotWrite(`${directory.name} --format ${report.format}`, error)
    })
  }
  try {
    writeSummary(directory, summary)
  } catch (error) {
    cannotWrite(`${directory.name} --format csv`, error)
  }

  function cannotWrite(command: string, error: unknown): void {
    const because = `cannot write the reports: ${messageOf(error)}; write them later with \`ada-bulk report ${command}\``
    log.error(because)
    summary.exitCode = 4
    summary.stoppedBecause ??= because
  }
}
