import { setTimeout as delay } from 'node:timers/promises'
import { findRun, listRuns, type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { withAcceptedInput } from '../checkpoint/history.js'
import { readCheckpoint } from '../checkpoint/read.js'
import { jobShortName } from '../checkpoint/run-file.js'
import { readControl, readLiveStatus } from '../monitor/status.js'
import { runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { inClock, inDigits } from '../system/text.js'
import { type Command, optionsOf } from './command.js'
import { type Damage, type Status, tableOf } from './status-table.js'

const watchEveryMs = 2000

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', {
        type: 'string',
        describe: "A run's directory or name, or latest; without it, the list of runs",
      })
      .options(optionsOf('status'))
      .example('$0 status', 'All runs, the latest first')
      .example('$0 status latest --watch', 'One run, until it has ended')
      .example('$0 status latest --json', 'One run, for a script'),

  async run(flags: FlagsOf<'status'> & { run?: string }, shell) {
    const runs = runsDirectory(flags, shell.environment)
    for (;;) {
      const { text, isRunning } =
        flags.run === undefined ? allOf(runs, flags.json) : oneOf(runs, flags.run, flags.json)
      shell.print(text, flags.watch)
      if (!flags.watch || !isRunning) return 0
      await delay(watchEveryMs)
    }
  },
}

interface Look {
  text: string
  isRunning: boolean
}

function oneOf(runs: string, run: string, isJson: boolean | undefined): Look {
  const status = statusOf(findRun(runs, run))
  const text = isJson ? JSON.stringify(status, null, 2) : statusText(status)
  return { text, isRunning: status.state === 'running' }
}

function allOf(runs: string, isJson: boolean | undefined): Look {
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
    isPaused: readControl(directory.control)?.control.isPaused ?? false,
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
