import type { EndEvent } from '../checkpoint/events.js'
import type { Summary } from '../checkpoint/summary.js'
import { counted, inDigits } from '../system/text.js'
import { type Check, right, wrong } from './verify-check.js'
import type { Look, Standing } from './verify-look.js'

/** Counts the checkpoint again and compares with summary.json, as of the line that it names. */
export function checkTotals(look: Look, summary: Summary | 'damaged' | null): Check {
  const { read, left } = look.end.totals
  const settled = `${inDigits(read - left)} of ${counted(read, 'item')} settled`
  const end = endFault(look)
  if (end !== null) return wrong('totals', end)
  if (summary === 'damaged')
    return wrong('totals', 'summary.json is there, and is none that a run has written.')
  if (summary === null) return right('totals', `${settled}; there is no summary yet to compare with.`)
  const marked = look.marks.get(summary.checkpointHead)
  const fault = faultOf(marked ?? look.end, summary) ?? exitFault(look, marked ?? look.end, summary)
  if (fault !== null) return wrong('totals', `summary.json: ${fault}`)
  return right(
    'totals',
    `${settled}; summary.json counts the same${isLast(look, marked) ? '' : ', as of then'}.`,
  )
}

function isLast(look: Look, marked: Standing | undefined): boolean {
  return marked?.line === look.end.line
}

/** The first number that is not what the lines come to. */
function faultOf(standing: Standing, summary: Summary): string | null {
  const { totals, reasons, requests } = standing
  for (const [group, counts, said] of [
    ['totals', totals, summary.totals],
    ['reasons', reasons, summary.reasons],
    ['requests', requests, summary.requests],
  ] as [string, Record<string, number>, Record<string, number> | undefined][]) {
    for (const name of new Set([...Object.keys(counts), ...Object.keys(said ?? {})])) {
      if (counts[name] === said?.[name]) continue
      return `${group}.${name} is ${said?.[name] ?? 'not there'}, and the checkpoint comes to ${counts[name] ?? 0} (line ${standing.line}).`
    }
  }
  return null
}

/** What the line that ends the run says of itself. */
function endFault(look: Look): string | null {
  for (const [index, end] of endsOf(look).entries()) {
    const { line, totals } = look.ends[index]!
    const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
    if (end.event === 'finished' && end.exitCode !== (hasTrouble ? 3 : 0))
      return `line ${line} ends with exit code ${end.exitCode}, and ${hasTrouble ? 'some items' : 'no items'} have failed.`
  }
  return null
}

function exitFault(look: Look, standing: Standing, summary: Summary): string | null {
  const end = endsOf(look)[look.ends.findIndex(({ line }) => line === standing.line)]
  if (end === undefined) return null
  const { exitCode, stoppedBecause } = summary
  // What a job remembers may have failed to be written after the run had come to its end.
  if (end.event === 'finished' && exitCode === 4 && typeof stoppedBecause === 'string') return null
  const because = end.event === 'stopped' ? end.because : null
  return exitCode === end.exitCode && stoppedBecause === because
    ? null
    : `exitCode is ${exitCode} (${stoppedBecause ?? 'finished'}), and line ${standing.line} of the checkpoint ends with ${end.exitCode} (${because ?? 'finished'}).`
}

function endsOf(look: Look): EndEvent[] {
  return look.events.filter(
    (event): event is EndEvent => event.event === 'stopped' || event.event === 'finished',
  )
}
