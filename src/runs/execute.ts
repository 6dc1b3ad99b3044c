import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Checkpoint } from '../checkpoint/checkpoint.js'
import { type RunDirectory, writeSummary } from '../checkpoint/directory.js'
import type { EndEvent, RunListener, StartEvent } from '../checkpoint/events.js'
import { settledItems } from '../checkpoint/items.js'
import { LogWriteError } from '../checkpoint/log.js'
import { readCheckpoint } from '../checkpoint/read.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import type { Outcome } from '../item.js'
import { type Filter, isOnBatches, withFlags } from '../job.js'
import { runLog } from '../monitor/run-log.js'
import { openLiveStatus } from '../monitor/status.js'
import { every, RateMeter, type RunView, viewer } from '../monitor/view.js'
import { checkingFirst } from '../operations/check-first.js'
import { refusalOf } from '../operations/retry.js'
import { type Ledger, whileHeld } from '../pacing/ledger.js'
import { openMemoryLedger } from '../pacing/memory.js'
import { csvReport } from '../reports/csv.js'
import { htmlReport } from '../reports/html.js'
import { reportedRun, writeReportFiles } from '../reports/report.js'
import { runLine } from '../run.js'
import type { Fingerprinted } from '../sources/fingerprint.js'
import { readItems } from '../sources/items.js'
import { currentUser, version } from '../system/host.js'
import type { Logger } from '../system/log.js'
import type { Stop } from '../system/stop.js'
import { inDigits, messageOf } from '../system/text.js'
import { filtersOfRun, keepHeldIds } from './filters.js'
import { ledgerName } from './host.js'
import type { OpenRun } from './open.js'
import { openSession, type Session, type Surroundings } from './session.js'
import { type Dispatcher, type Items, oneByOne, Recorder } from './settle.js'
import { BatchDispatcher } from './settle-batches.js'
import { stopBecauseOf, tooManyFailures } from './stop-reason.js'

/** Where a run executes: everything that a test can simulate, and that differs from one execution to the next. */
export interface World extends Surroundings {
  key: string
  stop: Stop
  log: Logger
  openLedger(instance: string): Promise<Ledger>
  limits: ExecutionLimits
  /** Hear every event of the run once it is on record. */
  listeners?: readonly RunListener[]
  /** Called with the view of the run before its first event. */
  onStart?(view: () => RunView): void
  /** Called when the input is open and the first unsettled item is found: from here on the rate limits decide the pace. */
  onFirstItem?(): void
}

export interface ExecutionLimits {
  /** Items to settle by calling, at most. */
  maxItems: number
  /** Items that a person agreed to, over all executions of the run. */
  confirmed: number
  /** How long to ask what became of a batch before the run stops for now (10 minutes). */
  pollForMs?: number
  /** Hold lists may have lost IDs since the last execution. */
  acceptsShrunkHold?: boolean
}

const usualPollForMs = 600_000

/** Items in progress for each call in flight: others wait for a retry, or for their outcome to be on disk. */
const itemsPerCall = 4

/**
 * Executes a run until its end or a stop, and leaves reports and summary. Throws a UsageError when it cannot start,
 * and what is a bug.
 */
export async function execute(run: OpenRun, world: World): Promise<Summary> {
  const { file, state, directory, lock } = run
  const { stop, clock } = world
  const now = () => new Date(clock.wallMs()).toISOString()
  const isResumed = state.events.length > 0
  const { filters, hold, heldKeys } = await filtersOfRun(file, run.job, run.syncState, run.cooldown)
  const { acceptsShrunkHold = false } = world.limits
  keepHeldIds(directory.heldIds, heldKeys(), run.pseudonyms?.of ?? String, acceptsShrunkHold)
  // The input's fingerprint was compared just now.
  const isFreeOfDuplicates = file.duplicates === 0
  const isSettled = (ordinal: number) => state.settled.has(ordinal)
  const read = () => readItems(run.input, { filters, isFreeOfDuplicates, isSettled })
  let isTaken = false
  lock.whenLost(({ pid, host }) => {
    isTaken = true
    stop.request({ exitCode: 75, because: `process ${pid} on ${host} has taken the lock of the run` })
    stop.abortCalls()
  })
  const checkpoint = new Checkpoint(directory.checkpoint, state, () => {
    lock.isHeld()
    return !isTaken
  })
  {
    using _watch = every(1000, () => {
      if (checkpoint.isGone()) stop.request({ exitCode: 4, because: checkpoint.whyGone })
    })
    await settleAll(run, world, checkpoint, read, filters, hold)
  }
  let gone: string | null = null
  try {
    await checkpoint.record(endOf(run, stop, now()))
    if (checkpoint.isGone()) gone = `${checkpoint.whyGone}; ${checkpoint.rescue()}`
    await checkpoint.close()
  } catch (error) {
    stopBecauseOf(error, stop, world.log)
  }
  const end = endOf(run, stop, now())
  // A line that could not be synced may be in the file: the checkpoint knows.
  const { tally, requests } =
    end.exitCode === 4 && gone === null ? readCheckpoint(directory.checkpoint) : state
  const forgot = gone ?? (end.event === 'finished' && !isTaken ? await finishSyncState(run, isResumed) : null)
  const summary: Summary = {
    run: file.run,
    directory: directory.path,
    job: jobShortName(file.job),
    instance: file.instance,
    retryOf: file.retryOf,
    ...(isOnBatches(run.job.operation) || file.pseudonyms !== undefined ? { isRetriable: false } : {}),
    startedAt: file.startedAt,
    finishedAt: now(),
    exitCode: forgot === null ? end.exitCode : 4,
    stoppedBecause: gone ?? (end.event === 'stopped' ? end.because : forgot),
    totals: tally.totals(file.plan.read),
    reasons: tally.reasons(),
    requests,
    input: file.input.map(({ name, sha256, bytes }) => ({ path: name, sha256, bytes })),
    checkpointHead: checkpoint.head,
    version,
  }
  // Reports are made of the checkpoint.
  if (gone === null && !isTaken) await writeReports(directory, summary, world.log)
  return summary
}

/** Takes the input down the line, beside what earlier executions have submitted. */
async function settleAll(
  run: OpenRun,
  world: World,
  checkpoint: Checkpoint,
  read: () => Items,
  filters: readonly Filter[],
  hold: Fingerprinted[],
): Promise<void> {
  const { file, state, directory, job } = run
  const { stop, clock, log, limits } = world
  const { settings } = file
  const ledger = file.isSandbox
    ? openMemoryLedger(clock)
    : whileHeld(await world.openLedger(ledgerName(run.origin, job.operation)), run.lock.isHeld)
  await using session = await openSession(run.origin, world.key, settings, ledger, world, (outcome) =>
    stop.request({ exitCode: 4, because: refusalOf(outcome) }),
  )
  const meter = new RateMeter(clock)
  const seen = { failures: state.tally.failures, called: state.tally.called }
  const recorder = new Recorder(checkpoint, state.open, clock, judgeFailures)
  const dispatcher = dispatcherOf(run, world, session, recorder, checkpoint, filters)
  const view = viewer(file, state, session.limiter, meter, stop, clock, isOnBatches(job.operation))
  using status = openLiveStatus(directory, settings, state.events, session.limiter, checkpoint, view, world)
  checkpoint.listen(state, meter)
  if (run.syncState !== null) checkpoint.listen(run.syncState)
  checkpoint.listen(runLog(log), status, ...(world.listeners ?? []))
  world.onStart?.(view)
  await checkpoint.record(startOf(run, world, hold)).catch(stopBecause)
  let begun = 0
  const line = runLine({
    items: dispatcher.through(read()),
    isSettled: (item) => state.settled.has(item.ordinal) || dispatcher.isOpen(item),
    mayBegin() {
      if (begun === limits.maxItems) {
        stop.request({ exitCode: 75, because: `--max-items ${begun} reached`, finishesItems: true })
        return false
      }
      if (begun++ === 0) world.onFirstItem?.()
      return true
    },
    settleByCalling: (item) => dispatcher.settle(item).catch(stopBecause),
    settleWithoutCalling(item, outcome) {
      try {
        recorder.settleWithoutCalling(item, outcome)
      } catch (error) {
        stopBecause(error)
      }
    },
    itemsInProgressMax: dispatcher.itemsInProgressMax,
    stop,
  })
  const rejoined = dispatcher.rejoin(read)
  for (const end of await Promise.allSettled([line.catch(stopBecause), rejoined.catch(stopBecause)]))
    if (end.status === 'rejected') throw end.reason
  const itemsInJobs = (await dispatcher.finish().catch(stopBecause)) ?? 0
  if (itemsInJobs > 0) stop.request({ exitCode: 75, because: inJobs(itemsInJobs) })

  function stopBecause(error: unknown): void {
    stopBecauseOf(error, stop, log)
  }

  /** Judged before the outcome is on disk, so that no more calls leave than are in flight. */
  function judgeFailures({ status }: Outcome): void {
    if (status === 'failed' || status === 'unknown') seen.failures += 1
    if (status !== 'filtered') seen.called += 1
    const because = tooManyFailures(seen, settings.maxFailures)
    if (because !== null) stop.request({ exitCode: 4, because })
  }
}

function dispatcherOf(
  { job, file, state, cooldown }: OpenRun,
  { clock, random, stop, limits }: World,
  session: Session,
  recorder: Recorder,
  checkpoint: Checkpoint,
  filters: readonly Filter[],
): Dispatcher {
  const { attemptsMax, concurrency, checkFirst } = file.settings
  const { signal: stopSignal, abortSignal } = stop
  const policy = { attemptsMax, clock, random, stopSignal, abortSignal, health: session.health }
  const operation = withFlags(job.operation, file.jobFlags)
  if (isOnBatches(operation)) {
    const { pollForMs = usualPollForMs } = limits
    const calls = { operation, session, checkpoint, cooldown, policy, pollForMs }
    return new BatchDispatcher(calls, recorder, state, file)
  }
  const { pace } = session
  const checked = checkingFirst(pace(operation), checkFirst, filters, pace, clock)
  return oneByOne(checked, session, recorder, state.open, policy, concurrency * itemsPerCall)
}

function startOf({ state, file, directory }: OpenRun, world: World, hold: Fingerprinted[]): StartEvent {
  return {
    event: state.events.length === 0 ? 'started' : 'resumed',
    at: new Date(world.clock.wallMs()).toISOString(),
    by: currentUser(),
    host: hostname(),
    pid: process.pid,
    version,
    confirmed: world.limits.confirmed,
    hold,
    settings: file.settings,
    runFile: hash('sha256', readFileSync(directory.runFile)),
  }
}

/** A run is finished that was asked to stop while its last item was being settled. */
function endOf({ state, file }: OpenRun, { reason }: Stop, at: string): EndEvent {
  if (reason !== null && state.tally.settled < file.plan.read) {
    return { event: 'stopped', at, exitCode: reason.exitCode, because: reason.because }
  }
  return { event: 'finished', at, exitCode: state.tally.hasTrouble ? 3 : 0 }
}

const inJobs = (items: number) =>
  `Ada's deletion jobs for ${inDigits(items)} of the items are not over yet, which may take up to 30 days; resume asks again`

/** The job's next run begins where this one ended. Says what kept it from that; null when nothing did. */
async function finishSyncState(
  { directory, file, syncState }: OpenRun,
  isResumed: boolean,
): Promise<string | null> {
  if (syncState === null || file.live === null) return null
  try {
    // A crash may have come between the checkpoint's line and the sync state's.
    if (isResumed) {
      for await (const batch of settledItems(directory.checkpoint)) {
        for (const settled of batch) syncState.catchUp(settled, file.live.fromMs)
      }
    }
    syncState.finished(file.live, Date.parse(file.startedAt))
    return null
  } catch (error) {
    if (!(error instanceof LogWriteError)) throw error
    return `${error.message}; the next run begins where this one began`
  }
}

/** Reports are rendered from the checkpoint, so one that does not fit on the disk can be written later. */
async function writeReports(directory: RunDirectory, summary: Summary, log: Logger): Promise<void> {
  const run = reportedRun(directory)
  const cannotWrite = (format: string, error: unknown): void => {
    const because = `cannot write the reports: ${messageOf(error)}; write them later with \`ada-bulk report ${directory.name} --format ${format}\``
    log.error(because)
    summary.exitCode = 4
    summary.stoppedBecause ??= because
  }
  const wanted = [csvReport, htmlReport].map((report) => ({
    report,
    path: `${directory.path}/${report.fileName}`,
  }))
  for (const [{ format }, error] of await writeReportFiles(wanted, run)) cannotWrite(format, error)
  try {
    writeSummary(directory, summary)
  } catch (error) {
    cannotWrite('csv', error)
  }
}
