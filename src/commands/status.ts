import { withAcceptedInput } from '../changed-input.js'
import { readCheckpoint } from '../checkpoint/read.js'
import { jobShortName } from '../jobs.js'
import { findRun, listRuns, type RunDirectory, readRunFile } from '../run-directory.js'
import { type RunState, runState } from '../run-state.js'
import type { Totals } from '../tally.js'
import { inDigits } from '../words.js'
import type { Command } from './command.js'
import { type Flags, jsonOption, placeOptions } from './options.js'
import { runsDirectory } from './settings.js'

const statusOptions = { ...placeOptions, ...jsonOption } as const

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', {
        type: 'string',
        describe: "A run's directory or name; without it, the list of runs",
      })
      .options(statusOptions)
      .example('$0 status', 'All runs, the latest first')
      .example('$0 status end-conversations-2026-11-22T09-00-00 --json', 'One run, for a script'),

  async run(flags: Flags<typeof statusOptions> & { run?: string }, shell) {
    const runs = runsDirectory(flags, shell.environment)
    if (flags.run !== undefined) {
      const status = statusOf(findRun(runs, flags.run))
      shell.print(flags.json ? JSON.stringify(status, null, 2) : statusText(status))
      return 0
    }
    const all = listRuns(runs).map(statusOf)
    if (flags.json) shell.print(JSON.stringify(all, null, 2))
    else shell.print(all.length === 0 ? `There are no runs in ${runs}.` : tableOf(all))
    return 0
  },
}

/** Where a run stands. The names stand in `status --json`. */
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
}

function statusOf(directory: RunDirectory): Status {
  const state = runState(directory)
  const checkpoint = readCheckpoint(directory.checkpoint)
  const run = withAcceptedInput(readRunFile(directory), checkpoint)
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
    holder: state.kind === 'running' ? state.holder : null,
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
    ...counts.map(([name, times]) => `  ${name.padEnd(10)} ${inDigits(times)}`),
    ...(reasons.length === 0 ? [] : [`  reasons    ${reasons.join(', ')}`]),
    `  calls      ${inDigits(status.requests.sent)}, of which ${inDigits(status.requests.rateLimited)} were over a rate limit`,
    `  directory  ${status.directory}`,
  ].join('\n')
}

function stateText({ state, holder, exitCode, stoppedBecause }: Status): string {
  switch (state) {
    case 'running':
      return `running, process ${holder?.pid} on ${holder?.host} since ${holder?.since}`
    case 'finished':
      return `finished, exit code ${exitCode}`
    case 'stopped':
      return `stopped (${exitCode}): ${stoppedBecause}; can be resumed`
    case 'crashed':
      return 'its process died; can be resumed'
  }
}

function tableOf(statuses: readonly Status[]): string {
  const rows = statuses.map(({ run, state, startedAt, totals }) => [
    run,
    state,
    startedAt.slice(0, 16).replace('T', ' '),
    `${inDigits(totals.read - totals.left)}/${inDigits(totals.read)}`,
    inDigits(totals.failed + totals.unknown),
  ])
  const table = [['RUN', 'STATE', 'STARTED (UTC)', 'SETTLED', 'FAILED'], ...rows]
  const widths = table[0]!.map((_, column) => Math.max(...table.map((row) => row[column]!.length)))
  return table
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}
