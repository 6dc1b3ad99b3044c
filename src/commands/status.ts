import { setTimeout as delay } from 'node:timers/promises'
import { findRun, listRuns, type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { readCheckpoint } from '../checkpoint/read.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Totals } from '../checkpoint/summary.js'
import { type LiveStatus, readControl, readLiveStatus } from '../monitor/status.js'
import { type RunState, runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { inClock, inDigits } from '../system/text.js'
import type { Command } from './command.js'

const watchEveryMs = 2000

export const command: Command = {
  examples: [
    ['status', 'All runs, the latest first'],
    ['status latest --watch', 'One run, until it has ended'],
    ['status latest --json', 'One run, for a script'],
  ],

  async run(flags: FlagsOf<'status'> & { run?: string }, terminal) {
    const runs = runsDirectory(flags, terminal.environment)
    for (;;) {
      const { text, isRunning } =
        flags.run === undefined ? allOf(runs, flags.json) : oneOf(runs, flags.run, flags.json)
      terminal.print(text, flags.watch)
      if (!flags.watch || !isRunning) return 0
      await delay(watchEveryMs)
    }
  },
}

/** The progress of a run. `status --json` has these names. */
interface Status {
  run: string
  directory: string
  state: RunState['kind']
  job: string
  instance: string
  retryOf: string | null
  startedAt: string
  /** When it ended or stopped last; null while it runs and after a crash. */
  finishedAt: string | null
  exitCode: number | null
  stoppedBecause: string | null
  totals: Totals
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
  holder: { pid: number; host: string; since: string } | null
  /** A pause was asked for. */
  isPaused: boolean
  /** Why the control file is not obeyed; null when it is. */
  controlFault: string | null
  /** What its process is doing; null when there is none, or it does not say. */
  live: LiveStatus | null
}

/** A run with files that cannot be read: the list names it, and goes on to the others. */
interface Damage {
  run: string
  directory: string
  state: 'damaged'
  message: string
}

interface View {
  text: string
  isRunning: boolean
}

function oneOf(runs: string, run: string, isJson: boolean | undefined): View {
  const status = statusOf(findRun(runs, run))
  const text = isJson ? JSON.stringify(status, null, 2) : statusText(status)
  return { text, isRunning: status.state === 'running' }
}

function allOf(runs: string, isJson: boolean | undefined): View {
  const all = listRuns(runs).map(statusOrDamage)
  const table = all.length === 0 ? `There are no runs in ${runs}.` : tableOf(all)
  const isRunning = all.some(({ state }) => state === 'running')
  return { text: isJson ? JSON.stringify(all, null, 2) : table, isRunning }
}

function statusOrDamage(directory: RunDirectory): Status | Damage {
  try {
    return statusOf(directory)
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    return { run: directory.name, directory: directory.path, state: 'damaged', message: error.message }
  }
}

function statusOf(directory: RunDirectory): Status {
  const state = runState(directory)
  const checkpoint = readCheckpoint(directory.checkpoint)
  const run = withAcceptedInput(readRunFile(directory), checkpoint)
  const isRunning = state.kind === 'running'
  const control = readControl(directory.control)
  const end = state.kind === 'finished' || state.kind === 'stopped' ? state.end : null
  return {
    run: run.run,
    directory: directory.path,
    state: state.kind,
    job: jobShortName(run.job),
    instance: run.instance,
    retryOf: run.retryOf,
    startedAt: run.startedAt,
    finishedAt: end?.at ?? null,
    exitCode: end?.exitCode ?? null,
    stoppedBecause: end?.event === 'stopped' ? end.because : null,
    totals: checkpoint.tally.totals(run.plan.read),
    reasons: checkpoint.tally.reasons(),
    requests: checkpoint.requests,
    holder: isRunning ? state.holder : null,
    isPaused: control?.control?.isPaused ?? false,
    controlFault: control?.fault ?? null,
    live: isRunning ? readLiveStatus(directory.live) : null,
  }
}

function statusText(status: Status): string {
  const { read, left, ...byStatus } = status.totals
  const counts = Object.entries({ ...byStatus, left }).filter(([, times]) => times > 0)
  const reasons = Object.entries(status.reasons).map(([reason, times]) => `${reason} ${inDigits(times)}`)
  return [
    `${status.run}: ${stateText(status)}`,
    `  job        ${status.job} on ${status.instance}`,
    `  started    ${status.startedAt}`,
    `  settled    ${inDigits(read - left)} of ${inDigits(read)}`,
    ...liveText(status),
    ...(status.controlFault === null ? [] : [`  control    ${status.controlFault}`]),
    ...counts.map(([name, times]) => `  ${name.padEnd(10)} ${inDigits(times)}`),
    ...(reasons.length === 0 ? [] : [`  reasons    ${reasons.join(', ')}`]),
    `  calls      ${inDigits(status.requests.sent)}, of which ${inDigits(status.requests.rateLimited)} were over a rate limit`,
    `  directory  ${status.directory}`,
  ].join('\n')
}

function liveText({ live, isPaused, state }: Status): string[] {
  if (live === null) return isPaused && state !== 'finished' ? ['  paused     until `ada-bulk continue`'] : []
  const { settledLastMinute, finishesAt, waiting, stoppingBecause } = live
  const until = finishesAt === null ? '' : `, done ${inClock(new Date(finishesAt), new Date())}`
  const doing = stoppingBecause === null ? waiting : `stopping: ${stoppingBecause}`
  return [
    `  pace       ${inDigits(settledLastMinute)} in the last minute${until}`,
    `  doing      ${doing || 'calling'}`,
  ]
}

function stateText({ state, isPaused, holder, exitCode, stoppedBecause }: Status): string {
  switch (state) {
    case 'running':
      return `running${isPaused ? ', paused' : ''}, process ${holder?.pid} on ${holder?.host} since ${holder?.since}`
    case 'finished':
      return `finished, exit code ${exitCode}`
    case 'stopped':
      return `stopped (${exitCode}): ${stoppedBecause}; can be resumed`
    case 'crashed':
      return 'its process died; can be resumed'
  }
}

/** The list of runs, for people. */
function tableOf(statuses: readonly (Status | Damage)[]): string {
  const rows = statuses.map((status) =>
    'message' in status ? [status.run, 'damaged', '', '', ''] : rowOf(status),
  )
  const damages = statuses.flatMap((status) =>
    'message' in status ? [`${status.run}: ${status.message}`] : [],
  )
  const table = [['RUN', 'STATE', 'STARTED (UTC)', 'SETTLED', 'FAILED'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd(),
  )
  return [...lines, ...damages].join('\n')
}

function rowOf({ run, state, isPaused, startedAt, totals }: Status): string[] {
  return [
    run,
    isPaused && state !== 'finished' ? `${state}, paused` : state,
    startedAt.slice(0, 16).replace('T', ' '),
    `${inDigits(totals.read - totals.left)}/${inDigits(totals.read)}`,
    inDigits(totals.failed + totals.unknown),
  ]
}
