import { join, relative } from 'node:path'
import { type Summary, worthRetrying } from '../checkpoint/summary.js'
import { counted, inDigits, inTime } from '../system/text.js'

/** How a run ended, for people: what became of the items, where the report lies and what to do next. */
export function summaryText(summary: Summary, isReported = true): string {
  const { read, left, ...byStatus } = summary.totals
  const statuses = Object.entries(byStatus)
    .filter(([, times]) => times > 0)
    .map(([status, times]) => `  ${status.padEnd(10)} ${inDigits(times).padStart(9)}`)
  const reasons = Object.entries(summary.reasons).map(([reason, times]) => `${reason} ${inDigits(times)}`)
  const { sent, rateLimited } = summary.requests
  const ms = Date.parse(summary.finishedAt) - Date.parse(summary.startedAt)
  const head =
    summary.stoppedBecause === null
      ? `${summary.run} is finished: ${counted(read, 'item')} in ${inTime(ms)}.`
      : `${summary.run} stopped: ${summary.stoppedBecause.replace(/\.$/, '')}.`
  return [
    head,
    ...statuses,
    ...(left > 0 ? [`  ${'left'.padEnd(10)} ${inDigits(left).padStart(9)}`] : []),
    ...(reasons.length > 0 ? [`Reasons: ${reasons.join(', ')}.`] : []),
    `Calls: ${inDigits(sent)}, of which ${inDigits(rateLimited)} were over a rate limit.`,
    ...(isReported ? [`Report: ${relativePath(join(summary.directory, 'report.csv'))}`] : []),
    `Head of the record: ${summary.checkpointHead}`,
    ...next(summary),
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
