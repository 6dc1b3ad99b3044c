import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { Checkpoint, type EndEvent, type StartEvent } from '../checkpoint/checkpoint.js'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { RecentlySubmitted } from '../filters/cooldown.js'
import type { Item, Outcome, SettledItem } from '../item.js'
import { type AnyOperation, isOnBatches, type Operation } from '../job.js'
import { startLive } from '../monitor/live.js'
import type { RunView } from '../monitor/progress.js'
import { RateMeter } from '../monitor/rate-meter.js'
import { viewOf } from '../monitor/run-view.js'
import { paced } from '../operations/paced.js'
import { refusalOf } from '../operations/retry.js'
import type { Ledger } from '../pacing/ledger.js'
import { runLine } from '../run.js'
import type { Fingerprinted } from '../settings/run-settings.js'
import { type Input, readItems } from '../sources/items.js'
import type { Clock } from '../system/clock.js'
import { currentUser } from '../system/host.js'
import type { Logger } from '../system/log.js'
import { type Stop, Stopped } from '../system/stop.js'
import { inDigits, messageOf } from '../system/text.js'
import { version } from '../system/version.js'
import { openCalling } from './calling.js'
import { openCalls } from './calls.js'
import { tooManyFailures } from './rules.js'
import { Settling } from './settle.js'
import { stopReasonOf } from './stop-reason.js'

/** Everything that one execution of a run needs. What is open here belongs to the caller. */
export interface Execution {
  run: RunFile
  directory: RunDirectory
  /** What the checkpoint says so far. It is kept up to date. */
  state: CheckpointState
  input: Input
  operation: AnyOperation
  /** Who was handed over lately; null where nobody has to remember. */
  recent: RecentlySubmitted | null
  /** How long to ask for what became of a batch before the run stops for now. */
  pollForMs: number
  /** The hold lists as they are now. */
  hold: Fingerprinted[]
  /** Where calls go to, and the key for them. */
  origin: string
  key: string
  ledger: Ledger
  stop: Stop
  /** Items that may be settled by calling in this execution. */
  maxItems: number
  /** Items that a person allowed to be called, over all executions of the run. */
  confirmed: number
  clock: Clock
  random: () => number
  log: Logger
  /** Is told of every item when it is settled. */
  onSettled: (item: Item, settled: SettledItem) => void
  /** Is handed a way to look at the run before the first item. */
  onStart: (view: () => RunView) => void
  /** Is told before the first item is called. */
  onFirstItem: () => void
}

export interface ExecutionEnd {
  exitCode: number
  /** Null when every item is settled. */
  stoppedBecause: string | null
  /** The hash of the checkpoint's last line. */
  head: string
}

/**
 * Goes on with a run until its end, or until it stops. What the checkpoint says then is the truth about it. Throws
 * what is a bug.
 */
export async function execute(execution: Execution): Promise<ExecutionEnd> {
  const { run, state, stop, clock, log } = execution
  const { settings } = run
  const now = () => new Date(clock.wallMs()).toISOString()
  const checkpoint = new Checkpoint(execution.directory.checkpoint, state)
  const calls = await openCalls({ ...execution, settings })
  const { api, limiter } = calls
  const pace = (one: Operation) =>
    paced(one, limiter, (outcome) => stop.request({ exitCode: 4, because: refusalOf(outcome) }))
  const policy = {
    attemptsMax: settings.attemptsMax,
    clock,
    random: execution.random,
    stopSignal: stop.signal,
    abortSignal: stop.abortSignal,
  }
  const { input, operation } = execution
  const waitsForJobs = isOnBatches(operation)
  const settling = new Settling({ ...execution, onOutcome, api, checkpoint, policy })
  const calling = openCalling({ ...execution, ...input, settings, settling, pace, api, checkpoint, policy })
  const seen = { failures: state.tally.failures, called: state.tally.called }
  const meter = new RateMeter(clock)
  let begun = 0

  const start: StartEvent = {
    event: state.events.length === 0 ? 'started' : 'resumed',
    at: now(),
    by: currentUser(),
    host: hostname(),
    pid: process.pid,
    version,
    confirmed: execution.confirmed,
    hold: execution.hold,
    settings,
    runFile: hash('sha256', readFileSync(execution.directory.runFile)),
  }
  await checkpoint.record(start).catch(stopBecauseOf)
  const view = () => viewOf({ run, state, limiter, meter, stop, clock, waitsForJobs })
  const endLive = startLive({
    controlPath: execution.directory.control,
    livePath: execution.directory.live,
    settings,
    limiter,
    checkpoint,
    state,
    view,
    clock,
    log,
  })
  execution.onStart(view)
  try {
    const line = runLine({
      items: calling.through(readItems(input)),
      isSettled: (item) => state.settled.has(item.ordinal) || calling.isOpen(item),
      mayBegin,
      settleByCalling,
      settleWithoutCalling,
      itemsInProgressMax: calling.itemsInProgressMax,
      stop,
    })
    const rejoined = calling.rejoin(() => readItems(input))
    await inFull(line.catch(stopBecauseOf), rejoined.catch(stopBecauseOf))
    await calling.jobsOver().catch(stopBecauseOf)
    if (calling.itemsUnderWay > 0) stop.request({ exitCode: 75, because: underWay(calling.itemsUnderWay) })
  } finally {
    await calls.close()
    endLive()
  }
  try {
    await checkpoint.record(endEvent(now()))
    await checkpoint.close()
  } catch (error) {
    stopBecauseOf(error)
  }
  const end = endEvent(now())
  return {
    exitCode: end.exitCode,
    stoppedBecause: end.event === 'stopped' ? end.because : null,
    head: checkpoint.head,
  }

  /** A run that was asked to stop when its last item was being settled is finished all the same. */
  function endEvent(at: string): EndEvent {
    const { reason } = stop
    if (reason !== null && state.tally.settled < run.plan.read) {
      return { event: 'stopped', at, exitCode: reason.exitCode, because: reason.because }
    }
    return { event: 'finished', at, exitCode: state.tally.hasTrouble ? 3 : 0 }
  }

  /** The rule is asked at once, so that no more calls leave than are in flight. */
  function onOutcome({ status }: Outcome): void {
    meter.add()
    if (status === 'failed' || status === 'unknown') seen.failures += 1
    if (status !== 'filtered') seen.called += 1
    const failures = tooManyFailures(seen, settings.maxFailures)
    if (failures !== null) stop.request({ exitCode: 4, because: failures })
  }

  function mayBegin(): boolean {
    if (begun === execution.maxItems) {
      stop.request({ exitCode: 75, because: `--max-items ${begun} reached`, finishesItems: true })
      return false
    }
    if (begun++ === 0) execution.onFirstItem()
    return true
  }

  async function settleByCalling(item: Item): Promise<void> {
    await calling.byCalling(item).catch(stopBecauseOf)
  }

  function settleWithoutCalling(item: Item, outcome: Outcome): void {
    try {
      settling.withoutCalling(item, outcome)
    } catch (error) {
      stopBecauseOf(error)
    }
  }

  /** The item that met this stays unsettled. */
  function stopBecauseOf(error: unknown): void {
    if (error instanceof Stopped) return
    const reason = stopReasonOf(error)
    stop.request(reason ?? { exitCode: 4, because: messageOf(error) })
    // A bug: nothing shall wait any longer for the others to end.
    if (reason === null) throw error
    log.error(reason.because)
  }
}

/** Resolves when both have come to their end, and throws what one of them has thrown. */
async function inFull(...both: Promise<void>[]): Promise<void> {
  for (const end of await Promise.allSettled(both)) if (end.status === 'rejected') throw end.reason
}

function underWay(items: number): string {
  return `Ada's deletion jobs for ${inDigits(items)} of the items are not over yet, which may take up to 30 days; resume asks again`
}
