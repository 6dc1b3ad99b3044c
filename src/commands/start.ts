import { setTimeout as delay } from 'node:timers/promises'
import { damageOf } from '../checkpoint/damage.js'
import { type RunDirectory, readRunFile, readSummary } from '../checkpoint/directory.js'
import { readCheckpoint } from '../checkpoint/read.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { itemsPerCall } from '../job.js'
import { type Notifiers, openNotifiers } from '../monitor/notifiers.js'
import { changeControl, readControl } from '../monitor/status.js'
import { createRun, type NewRun } from '../runs/create.js'
import { execute } from '../runs/execute.js'
import { erasureJob } from '../runs/follow-up.js'
import { type Host, openHost, recentCallsAgoMs, type WhenBusy } from '../runs/host.js'
import { loadJob } from '../runs/jobs.js'
import { type OpenRun, reopenRun } from '../runs/open.js'
import { refuseFoundOtherwise } from '../runs/plan-file.js'
import { runState } from '../runs/state.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { isLoopback } from '../settings/addresses.js'
import { systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { messageOf } from '../system/text.js'
import { confirm, confirmRest } from './confirm.js'
import { forecast, forecastText, holdText } from './forecast.js'
import { leaveOnSignals, openMonitor } from './monitor.js'
import {
  type NewRunRequest,
  type NotifierRequest,
  type OldRunRequest,
  type RunRequest,
  SecondPartFailed,
} from './request.js'
import { asNotErased, followUp } from './second-part.js'
import { exitCodeOf, type Terminal } from './terminal.js'

/** Another process works on the run, and nobody wants to wait. */
export class Unavailable extends UsageError {
  readonly exitCode = 75
}

/**
 * Runs what is asked for, and the second part that may follow. `ask` makes a request of what was typed, and null when
 * there is nothing to do: notifiers are also told that it failed. Throws a SecondPartFailed when only that part failed.
 */
export async function startRun(
  ask: () => Promise<RunRequest | null>,
  notifierRequest: NotifierRequest,
  terminal: Terminal,
): Promise<Summary[]> {
  const { job, notifiers: kinds, fault } = notifierRequest
  const notifiers = openNotifiers(kinds, job, terminal.notice)
  try {
    if (fault !== null) throw fault
    const request = await ask()
    const summaries =
      request === null ? [] : await runBothParts(request, notifierRequest, notifiers, terminal)
    if (!notifiers.isLastWordSaid) notifiers.nothingToDo(summaries[0]?.exitCode ?? 0)
    return summaries
  } catch (error) {
    const cause = error instanceof SecondPartFailed ? error.cause : error
    const isUnseen = notifiers.isStarted || !terminal.isInteractive
    // The run that holds the lock has notifiers of its own.
    const isSilent = cause instanceof Unavailable || notifiers.isLastWordSaid || !isUnseen
    if (!isSilent) notifiers.failed(exitCodeOf(cause), messageOf(cause))
    throw error
  } finally {
    await notifiers.close()
  }
}

async function runBothParts(
  request: RunRequest,
  notifierRequest: NotifierRequest,
  notifiers: Notifiers,
  terminal: Terminal,
): Promise<Summary[]> {
  await using target = await openTarget(request)
  const summary = await runOne(request, target.origin, notifiers, terminal)
  try {
    const next = await followUp(request, target.origin, summary, terminal)
    if (next === null) return [summary]
    const both = { ...notifierRequest, job: erasureJob }
    return [summary, ...(await startRun(async () => next, both, terminal))]
  } catch (error) {
    throw new SecondPartFailed([summary], asNotErased(error, summary.directory))
  }
}

/** Where calls go to; a sandbox is closed at the end. */
async function openTarget({ origin, run }: RunRequest): Promise<AsyncDisposable & { origin: string }> {
  if (origin !== null) return { origin, async [Symbol.asyncDispose]() {} }
  const conversations = 'sandboxConversations' in run ? run.sandboxConversations : undefined
  const sandbox = await startSandbox(conversations === undefined ? {} : { conversations })
  return { origin: sandbox.url, [Symbol.asyncDispose]: () => sandbox.close() }
}

async function runOne(
  request: RunRequest,
  origin: string,
  notifiers: Notifiers,
  terminal: Terminal,
): Promise<Summary> {
  const { limits, view } = request
  const old = 'file' in request.run ? request.run : null
  if (old !== null) {
    await whenIdle(old.directory, request.isPatient, terminal)
    const summary = finishedSummary(old.directory)
    if (summary !== null) {
      terminal.notice(`${old.directory.name} is finished: nothing is left to do.`)
      return summary
    }
  }
  const key = request.key()
  await using host = await openHost(request.host)
  const { run, confirmed } =
    old === null
      ? await createAgreed(request, request.run as NewRunRequest, origin, host, terminal)
      : await reopenAgreed(request, old, origin, host, terminal)
  await using _open = run
  using monitor = await openMonitor(run, view, limits.maxDurationMs, notifiers, terminal)
  const { maxItems, pollForMs, acceptsShrunkHold } = limits
  const summary = await execute(run, {
    clock: systemClock,
    random: Math.random,
    stop: monitor.stop,
    log: monitor.log,
    key,
    openLedger: host.openLedger,
    limits: { maxItems, confirmed, acceptsShrunkHold, ...(pollForMs === undefined ? {} : { pollForMs }) },
    listeners: [notifiers],
    onStart: monitor.onStart,
    onFirstItem: monitor.onFirstItem,
  })
  monitor.ended(summary)
  return summary
}

interface Agreed {
  run: OpenRun
  /** Items that may be called, over all executions. */
  confirmed: number
}

/** Until the person has agreed nothing is sent, and nothing stays behind. */
async function createAgreed(
  request: RunRequest,
  asked: NewRunRequest,
  origin: string,
  host: Host,
  terminal: Terminal,
): Promise<Agreed> {
  const { job, settings, plan, isSandbox } = asked
  const { operation } = job.job
  const place = asked.newDirectory()
  using leaving = leaveOnSignals(place.discard)
  let confirmed = 0
  const isPractice = request.key() === sandboxKey && isLoopback(new URL(origin).hostname)
  const newRun: NewRun = { ...asked, isPractice }
  const run = await createRun(
    newRun,
    origin,
    place,
    host,
    whenBusy(job.shortName, origin, request.isPatient, terminal),
    (syncState, nowMs) =>
      asked.input({ directory: place.directory.path, syncState, nowMs, origin, key: request.key(), host }),
    async ({ count, hold, holdMatches }) => {
      for (const matches of holdMatches) terminal.notice(holdText(matches))
      const found = { input: count.input, hold, plan: { read: count.read, calls: count.calls } }
      if (plan !== null) refuseFoundOtherwise(plan.path, plan.file, found)
      const expected = forecast(job.shortName, origin, count, settings, request.limits.maxItems, {
        itemsPerCall: itemsPerCall(operation),
        hold: asked.retryOf === null ? hold : [],
        agoMs: isSandbox ? [] : recentCallsAgoMs(host.stateDirectory, origin, operation),
      })
      if (!request.view.isQuiet) terminal.notice(forecastText(expected, settings, operation))
      const { isConfirmed } = request
      if (!isConfirmed && expected.items > 0) await confirm(terminal, expected.items, operation, origin)
      confirmed = isConfirmed ? count.calls : expected.items
      leaving.throwIfSignalled()
    },
  ).catch((error) => {
    // Without its directory nothing works.
    leaving.throwIfSignalled()
    throw error
  })
  return { run, confirmed }
}

async function reopenAgreed(
  request: RunRequest,
  { directory, file, pseudonyms, acceptsChangedInput, acceptsDamage, replaces }: OldRunRequest,
  origin: string,
  host: Host,
  terminal: Terminal,
): Promise<Agreed> {
  const { job, shortName } = await loadJob(file.job)
  const run = await reopenRun(
    directory,
    file,
    job,
    origin,
    pseudonyms(),
    host,
    whenBusy(shortName, file.instance, request.isPatient, terminal),
    (changes) => {
      if (acceptsChangedInput) return terminal.notice(`Going on with the changed input ${changes}.`)
      throw new UsageError(
        `the input has changed since the run began: ${changes}. Put the old file back, or go on with the new one, matched by ID, with --accept-changed-input.`,
      )
    },
    acceptsDamage,
    terminal.notice,
  )
  try {
    const isThrottled = readControl(directory.control) !== null
    if (isThrottled && replaces.share) changeControl(directory.control, { share: null })
    if (isThrottled && replaces.limits) changeControl(directory.control, { limits: null })
    const isConfirmed = file.follows === undefined ? request.isConfirmed : request.isErasureConfirmed
    const { maxItems } = request.limits
    return { run, confirmed: await confirmRest(run.file, run.state, job, maxItems, isConfirmed, terminal) }
  } catch (error) {
    await run[Symbol.asyncDispose]()
    throw error
  }
}

/** The summary of a run that needs no further execution: it is finished, and its reports are in place. */
function finishedSummary(directory: RunDirectory): Summary | null {
  if (runState(directory).kind !== 'finished' || damageOf(directory.checkpoint) !== null) return null
  const summary = readSummary(directory)
  const isReported =
    summary?.stoppedBecause === null && summary.checkpointHead === readCheckpoint(directory.checkpoint).head
  return isReported ? summary : null
}

/** Throws when another process holds the lock, or says so and waits. */
function whenBusy(job: string, instance: string, isPatient: boolean, terminal: Terminal): WhenBusy {
  return ({ pid, host, since, run }) => {
    const text = `${job} is running on ${instance} already: process ${pid} on ${host}, since ${since}, in ${run}.`
    if (isPatient) return terminal.notice(`ada-bulk: ${text} Waiting until it is done.`)
    throw new Unavailable(
      `${text} Try again when it is done, or let --wait do that; --parallel allows a second run over another input.`,
    )
  }
}

const lookEveryMs = 1000

/** Waits while another process works on the run; throws Unavailable when not patient. */
export async function whenIdle(
  directory: RunDirectory,
  isPatient: boolean,
  terminal: Terminal,
): Promise<void> {
  for (let isFirst = true; ; isFirst = false) {
    const state = runState(directory)
    if (state.kind !== 'running') return
    const { job, instance } = readRunFile(directory)
    if (isFirst) whenBusy(jobShortName(job), instance, isPatient, terminal)(state.holder)
    await delay(lookEveryMs)
  }
}
