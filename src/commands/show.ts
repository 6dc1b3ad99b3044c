import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type Summary, worthRetrying } from '../checkpoint/summary.js'
import { counted, inDigits, inTime } from '../system/text.js'
import { SecondPartFailed } from './request.js'
import type { Terminal } from './terminal.js'

/**
 * Prints what became of runs, and returns the exit code: the one that needs a person most. With `--json` a sweep that
 * erases is one document with its second part.
 */
export async function showRuns(
  runs: Promise<Summary[]>,
  flags: { json?: boolean | undefined; quiet?: boolean | undefined },
  isErasing: () => boolean,
  terminal: Terminal,
): Promise<number> {
  let summaries: Summary[] = []
  try {
    summaries = await runs
  } catch (error) {
    if (!(error instanceof SecondPartFailed)) throw error
    summaries = error.before
    throw error.cause
  } finally {
    show(summaries, flags, isErasing(), terminal)
  }
  return worstOf(summaries.map(({ exitCode }) => exitCode))
}

function show(
  summaries: readonly Summary[],
  { json, quiet }: { json?: boolean | undefined; quiet?: boolean | undefined },
  isErasing: boolean,
  terminal: Terminal,
): void {
  if (json && isErasing) {
    const [sweep = null, erasure = null] = summaries
    terminal.print(JSON.stringify({ sweep, erasure }, null, 2))
  } else if (json) for (const summary of summaries) terminal.print(JSON.stringify(summary, null, 2))
  else if (quiet) for (const summary of summaries) sayWhy(summary, terminal)
  else
    for (const summary of summaries)
      terminal.print(summaryText(summary, existsSync(join(summary.directory, 'report.csv'))))
}

/** With `--quiet`, cron mails what is said, and that is what needs a person. */
function sayWhy({ run, exitCode, stoppedBecause, totals }: Summary, terminal: Terminal): void {
  if (![3, 4, 75].includes(exitCode)) return
  const trouble = (['failed', 'unknown', 'invalid'] as const)
    .filter((status) => totals[status] > 0)
    .map((status) => `${inDigits(totals[status])} ${status}`)
  const why = stoppedBecause === null ? `finished with ${trouble.join(', ')}` : `stopped: ${stoppedBecause}`
  terminal.notice(`ada-bulk: ${run} ${why.replace(/\.$/, '')} (exit code ${exitCode}).`)
}

/** From what is fine to what needs a person. */
const byWeight = [0, 3, 75, 129, 143, 130, 4, 2, 1]

function worstOf(codes: readonly number[]): number {
  return codes.reduce((one, other) => (byWeight.indexOf(one) >= byWeight.indexOf(other) ? one : other), 0)
}

/** What became of a run, for people: its items, its report and what to do next. */
export function summaryText(summary: Summary, isReported = true): string {
  const { sent, rateLimited } = summary.requests
  return [
    outcomeText(summary),
    `Calls: ${inDigits(sent)}, of which ${inDigits(rateLimited)} were over a rate limit.`,
    ...(isReported ? [`Report: ${relativePath(join(summary.directory, 'report.csv'))}`] : []),
    `Head of the record: ${summary.checkpointHead}`,
    ...next(summary),
  ].join('\n')
}

/** Its first lines: how the run ended, and what became of the items. */
export function outcomeText(summary: Summary): string {
  const { read, ...counts } = summary.totals
  const reasons = Object.entries(summary.reasons).map(([reason, times]) => `${reason} ${inDigits(times)}`)
  const ms = Date.parse(summary.finishedAt) - Date.parse(summary.startedAt)
  return [
    summary.stoppedBecause === null
      ? `${summary.run} is finished: ${counted(read, 'item')} in ${inTime(ms)}.`
      : `${summary.run} stopped: ${summary.stoppedBecause.replace(/\.$/, '')}.`,
    ...Object.entries(counts)
      .filter(([, times]) => times > 0)
      .map(([status, times]) => `  ${status.padEnd(10)} ${inDigits(times).padStart(9)}`),
    ...(reasons.length > 0 ? [`Reasons: ${reasons.join(', ')}.`] : []),
  ].join('\n')
}

function next({ directory, stoppedBecause, totals, reasons, isRetriable = true }: Summary): string[] {
  const run = relativePath(directory)
  if (stoppedBecause !== null) return [`Go on with: ada-bulk resume ${run}`]
  if (!isRetriable) return []
  if (worthRetrying(totals, reasons) > 0) return [`Try those that failed again with: ada-bulk retry ${run}`]
  return []
}

/** As the person would type it, when that is shorter. */
export function relativePath(path: string): string {
  const fromHere = relative(process.cwd(), path)
  return fromHere.startsWith('..') ? path : fromHere
}
