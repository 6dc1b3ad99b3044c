import { hostname } from 'node:os'
import { openHttpApi } from './api/http-api.js'
import { Checkpoint, type EndEvent } from './checkpoint/checkpoint.js'
import { LogWriteError } from './checkpoint/log.js'
import type { CheckpointState } from './checkpoint/read.js'
import type { Clock } from './clock.js'
import { currentUser } from './current-user.js'
import type { Item } from './item.js'
import { type Input, readItems } from './items.js'
import type { Logger } from './log.js'
import { messageOf } from './message.js'
import { checkingFirst } from './operations/check-first.js'
import type { Operation } from './operations/operation.js'
import type { Outcome, SettledItem } from './outcome.js'
import { ApiDownError } from './pacing/gate.js'
import type { Ledger } from './pacing/ledger.js'
import { openLimiter } from './pacing/limiter.js'
import { paced } from './pacing/paced.js'
import type { RunView } from './progress/progress.js'
import { type CallNotes, KeyRefusedError, settleWithRetries } from './retry.js'
import { tooManyFailures } from './rules.js'
import { runLine } from './run.js'
import type { RunFile } from './run-file.js'
import { type Stop, Stopped } from './stop.js'
import { UsageError } from './usage-error.js'
import { version } from './version.js'

/** Everything that one execution of a run needs. What is open here belongs to the caller. */
export interface Execution {
  run: RunFile
  /** Where the checkpoint lies, and what it says so far. It is kept up to date. */
  checkpointPath: string
  state: CheckpointState
  input: Input
  operation: Operation
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
}

export interface ExecutionEnd {
  exitCode: number
  /** Null when every item is settled. */
  stoppedBecause: string | null
  /** The hash of the checkpoint's last line. */
  head: string
}

/** A job of somebody's own may say anything; a reason is one word. */
const longestReason = 60

/** Items in progress for each call in flight: others wait for a retry, or for their outcome to be on disk. */
const itemsPerCall = 4

/** On top of a call's time-out, for its end to be seen and written down. */
const holdMarginMs = 1000

/**
 * Goes on with a run until its end, or until it stops. What the checkpoint says then is the truth about it. Throws
 * what is a bug.
 */
export async function execute(execution: Execution): Promise<ExecutionEnd> {
  const { run, state, stop, clock, log } = execution
  const { settings } = run
  const now = () => new Date(clock.wallMs()).toISOString()
  const checkpoint = new Checkpoint(execution.checkpointPath, state)
  const api = openHttpApi({
    origin: execution.origin,
    key: execution.key,
    timeoutMs: settings.timeoutMs,
    connections: settings.concurrency,
    userAgent: `ada-bulk/${version}`,
  })
  const limiter = openLimiter({
    ledger: execution.ledger,
    windows: settings.limits,
    share: settings.share,
    concurrency: settings.concurrency,
    holdMs: settings.timeoutMs + holdMarginMs,
    outageMaxMs: settings.maxOutageMs,
    clock,
    random: execution.random,
    ...(settings.hours === null ? {} : { hours: settings.hours }),
  })
  const pace = (one: Operation) => paced(one, limiter)
  const operation = settings.checkFirst
    ? checkingFirst(pace(execution.operation), execution.input.filters, pace, clock)
    : pace(execution.operation)
  const firstSentMs = new Map<number, number>()
  const notes: CallNotes = {
    sent(item, isRead) {
      if (!firstSentMs.has(item.ordinal)) firstSentMs.set(item.ordinal, clock.monotonicMs())
      state.requests.sent += 1
      checkpoint.noteSent(item, now(), isRead)
    },
    back(item, outcome, isRead) {
      if (outcome.reason === 'rate_limited') state.requests.rateLimited += 1
      checkpoint.noteBack(item, now(), outcome, isRead)
      log.info(
        { id: item.id, reason: outcome.reason, http: outcome.httpStatus, message: outcome.message },
        'call came to nothing',
      )
    },
  }
  const policy = {
    attemptsMax: settings.attemptsMax,
    clock,
    random: execution.random,
    stopSignal: stop.signal,
    abortSignal: stop.abortSignal,
    notes,
  }
  let begun = 0

  await checkpoint.record({
    event: state.events.length === 0 ? 'started' : 'resumed',
    at: now(),
    by: currentUser(),
    host: hostname(),
    pid: process.pid,
    version,
    confirmed: execution.confirmed,
  })
  execution.onStart(() => ({
    read: run.plan.read,
    tally: state.tally,
    requests: state.requests,
    waiting: limiter.state(),
    stoppingBecause: stop.reason?.because ?? null,
  }))
  try {
    await runLine({
      items: readItems(execution.input),
      isSettled: (item) => state.settled.has(item.ordinal),
      mayBegin,
      settleByCalling,
      settleWithoutCalling,
      itemsInProgressMax: settings.concurrency * itemsPerCall,
      stop,
    }).catch(stopBecauseOf)
  } finally {
    await limiter.close()
    await api.close()
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

  function mayBegin(): boolean {
    if (begun === execution.maxItems) {
      stop.request({ exitCode: 75, because: `--max-items ${begun} reached`, finishesItems: true })
      return false
    }
    begun += 1
    return true
  }

  async function settleByCalling(item: Item): Promise<void> {
    try {
      const earlier = state.open.get(item.ordinal) ?? { calls: 0, isAnswerLost: false }
      const { outcome, attempts } = await settleWithRetries(operation, api, item, earlier, policy)
      const settled = settledItem(item, outcome, attempts)
      await checkpoint.settleDurably(settled)
      count(settled)
      execution.onSettled(item, settled)
      const failures = tooManyFailures(state.tally, settings.maxFailures)
      if (failures !== null) stop.request({ exitCode: 4, because: failures })
    } catch (error) {
      stopBecauseOf(error)
    } finally {
      firstSentMs.delete(item.ordinal)
    }
  }

  function settleWithoutCalling(item: Item, outcome: Outcome): void {
    try {
      const settled = settledItem(item, outcome, 0)
      checkpoint.settle(settled)
      count(settled)
      execution.onSettled(item, settled)
    } catch (error) {
      stopBecauseOf(error)
    }
  }

  function count(settled: SettledItem): void {
    state.settled.add(settled.ordinal)
    state.tally.add(settled.status, settled.reason)
    const { id, status, reason, httpStatus: http, attempts, message, source, line } = settled
    if (status === 'failed' || status === 'unknown') {
      log.warn({ id, status, reason, http, attempts, message, source, line }, 'item failed')
    } else log.debug({ id, status, reason, http, attempts, source, line }, 'item settled')
  }

  function settledItem(item: Item, outcome: Outcome, attempts: number): SettledItem {
    const sentMs = firstSentMs.get(item.ordinal)
    return {
      ordinal: item.ordinal,
      id: item.id,
      ...outcome,
      reason: outcome.reason.replace(/[^a-z0-9_]/gi, '_').slice(0, longestReason),
      attempts,
      finishedAt: now(),
      durationMs: sentMs === undefined ? 0 : Math.round(clock.monotonicMs() - sentMs),
      source: item.source,
      line: item.line,
    }
  }

  /** The item that met this stays unsettled. */
  function stopBecauseOf(error: unknown): void {
    if (error instanceof Stopped) return
    // A UsageError in the middle of a run is the ledger's: its disk is full, or was taken away.
    if (
      error instanceof KeyRefusedError ||
      error instanceof ApiDownError ||
      error instanceof LogWriteError ||
      error instanceof UsageError
    ) {
      stop.request({ exitCode: 4, because: error.message })
      log.error(error.message)
    } else {
      // A bug: nothing shall wait any longer for the others to end.
      stop.request({ exitCode: 4, because: messageOf(error) })
      throw error
    }
  }
}
