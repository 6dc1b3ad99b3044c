import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { StartEvent } from '../checkpoint/events.js'
import { jobShortName, type RunFile } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { counted, inDigits } from '../system/text.js'
import { type Check, type Evidence, right, wrong } from './verify-check.js'
import type { Scan, Snapshot } from './verify-scan.js'

const onlyKept =
  'A checkpoint that was rewritten from its first line to its last shows only with --head and a hash that was kept elsewhere.'

/** Compares the last line with the hash that was kept elsewhere, else with the one that the summary names. */
export function checkHead({ scan, summary, head: kept, isFinished }: Evidence): Check {
  const { line } = scan.end
  const wanted = kept ?? (isWhole(summary) ? summary.checkpointHead : null)
  if (wanted === null) {
    const hasEnded = line > 0 && scan.ends.at(-1)?.line === line
    return hasEnded
      ? wrong('head', 'there is no summary.json, and a run that ends or stops leaves one.')
      : right('head', `there is no summary yet to compare with. ${onlyKept}`)
  }
  const source = kept === null ? 'that summary.json names' : 'that was kept elsewhere'
  if (wanted === scan.head) {
    const last = `line ${line}, the last, has the hash ${source}.`
    return right('head', kept === null ? `${last} ${onlyKept}` : last)
  }
  const marked = scan.marks.get(wanted)?.line
  if (marked === undefined) {
    const why = `line ${line} was changed, lines after it are gone, or the whole was rewritten.`
    return wrong('head', `no line has the hash ${wanted} ${source}: ${why}`)
  }
  if (kept !== null) {
    const after = `${counted(line - marked, 'line')} came after it`
    return wrong(
      'head',
      `line ${marked} has the hash ${source}, and ${after}: of a later execution, whose hash is another, or added.`,
    )
  }
  return isFinished
    ? wrong(
        'head',
        `summary.json ends at line ${marked} of ${line}: lines were added after it, or the run died before it wrote its last summary. Then \`ada-bulk resume\` writes it.`,
      )
    : right('head', `line ${marked} of ${line} has the hash ${source}, from an earlier stop. ${onlyKept}`)
}

/** Compares run.json with the line that starts the run, and with the summary. */
export function checkRequest({ directory, run, scan, summary }: Evidence): Check {
  const start = scan.events.find((event): event is StartEvent => 'confirmed' in event)
  const fault =
    (start && settingsFault(run, start)) ??
    (isWhole(summary) ? claimFault(run, scan, summary) : null) ??
    (start && hashFault(directory, start))
  if (fault) return wrong('asked', `run.json: ${fault}.`)
  const named = isWhole(summary) ? 'and summary.json name' : 'names'
  return right('asked', `run.json is the one that the checkpoint ${named}.`)
}

function isWhole(summary: Evidence['summary']): summary is Summary {
  return summary !== null && summary !== 'damaged'
}

function settingsFault({ settings }: RunFile, start: StartEvent): string | null {
  // The others may have been changed by a `resume` of a run that died before its first line.
  const fixed = ['format', 'idColumn', 'acceptTruncated', 'checkFirst'] as const
  const named = fixed.find((name) => settings[name] !== start.settings[name])
  return named === undefined ? null : `settings.${named} is not what the run was started with`
}

/** Runs of earlier versions do not have the hash in their chain. */
function hashFault(directory: RunDirectory, { runFile }: StartEvent): string | null {
  const sha256 = hash('sha256', readFileSync(directory.runFile))
  return runFile === undefined || runFile === sha256
    ? null
    : `its SHA-256 is ${sha256}, and the run was started by one with ${runFile}: it was changed`
}

function claimFault(run: RunFile, scan: Scan, summary: Summary): string | null {
  const pairs: [name: string, here: string | null, there: string | null][] = [
    ['run', run.run, summary.run],
    ['job', jobShortName(run.job), summary.job],
    ['instance', run.instance, summary.instance],
    ['retryOf', run.retryOf, summary.retryOf],
    ['startedAt', run.startedAt, summary.startedAt],
  ]
  // An older summary may name an input that has changed since.
  if (summary.checkpointHead === scan.head) pairs.push(['input', sums(run.input), sums(summary.input)])
  const other = pairs.find(([, here, there]) => here !== there)
  return other === undefined ? null : `${other[0]} is ${other[1]}, and summary.json says ${other[2]}`
}

function sums(files: readonly { sha256: string; bytes: number }[]): string {
  return files.map(({ sha256, bytes }) => `${sha256} (${bytes} bytes)`).join(', ')
}

/** Compares the counts of the checkpoint with summary.json, at the line that it names. */
export function checkTotals({ scan, summary }: Evidence): Check {
  const { read, left } = scan.end.totals
  const settled = `${inDigits(read - left)} of ${counted(read, 'item')} settled`
  const fault = endFault(scan)
  if (fault !== null) return wrong('totals', fault)
  if (summary === 'damaged')
    return wrong('totals', 'summary.json is there, and is none that a run has written.')
  if (summary === null) return right('totals', `${settled}; there is no summary yet to compare with.`)
  const at = scan.marks.get(summary.checkpointHead) ?? scan.end
  const summaryFault = countFault(at, summary) ?? exitFault(scan, at, summary)
  if (summaryFault !== null) return wrong('totals', `summary.json: ${summaryFault}`)
  const isLast = scan.head === summary.checkpointHead
  return right('totals', `${settled}; summary.json counts the same${isLast ? '' : ', as of then'}.`)
}

/** The first number of the summary that the lines do not come to. */
function countFault(at: Snapshot, summary: Summary): string | null {
  for (const group of ['totals', 'reasons', 'requests'] as const) {
    const [counts, claimed]: Record<string, number>[] = [at[group], summary[group]]
    for (const name of new Set([...Object.keys(counts!), ...Object.keys(claimed!)])) {
      if (counts![name] !== claimed![name])
        return `${group}.${name} is ${claimed![name] ?? 'not there'}, and the checkpoint comes to ${counts![name] ?? 0} (line ${at.line}).`
    }
  }
  return null
}

/** Whether a line that ends the run has the exit code that its items lead to. */
function endFault({ ends }: Scan): string | null {
  for (const { line, totals, event } of ends) {
    const hasTrouble = totals.failed + totals.unknown + totals.invalid > 0
    if (event.event === 'finished' && event.exitCode !== (hasTrouble ? 3 : 0))
      return `line ${line} ends with exit code ${event.exitCode}, and ${hasTrouble ? 'some items' : 'no items'} have failed.`
  }
  return null
}

function exitFault({ ends }: Scan, at: Snapshot, { exitCode, stoppedBecause }: Summary): string | null {
  const end = ends.find(({ line }) => line === at.line)?.event
  if (end === undefined) return null
  // Writing the sync state may have failed after the run had come to its end.
  if (end.event === 'finished' && exitCode === 4 && typeof stoppedBecause === 'string') return null
  const because = end.event === 'stopped' ? end.because : null
  return exitCode === end.exitCode && stoppedBecause === because
    ? null
    : `exitCode is ${exitCode} (${stoppedBecause ?? 'finished'}), and line ${at.line} of the checkpoint ends with ${end.exitCode} (${because ?? 'finished'}).`
}
