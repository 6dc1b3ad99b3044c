import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { StartEvent } from '../checkpoint/events.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { type Check, right, wrong } from './verify-check.js'
import type { Look } from './verify-look.js'

/** Holds run.json against the line that starts the run, and against the summary. `run` has the input as it was accepted last. */
export function checkAsked(
  directory: RunDirectory,
  asked: RunFile,
  run: RunFile,
  look: Look,
  summary: Summary | null,
): Check {
  const start = look.events.find((event): event is StartEvent => 'confirmed' in event)
  const fault =
    (start && settingsFault(asked, start)) ??
    (summary && summaryFault(run, look, summary)) ??
    (start && hashFault(directory, start))
  if (fault) return wrong('asked', `run.json: ${fault}.`)
  return right(
    'asked',
    `run.json is what the checkpoint ${summary === null ? 'speaks' : 'and summary.json speak'} of.`,
  )
}

function settingsFault(asked: RunFile, start: StartEvent): string | null {
  // The others may have been changed by a `resume` of a run that died before its first line.
  const fixed = ['format', 'idColumn', 'acceptTruncated', 'checkFirst'] as const
  const named = fixed.find((name) => asked.settings[name] !== start.settings?.[name])
  return named === undefined ? null : `settings.${named} is not what the run was started with`
}

/** Runs of earlier versions do not have the hash in their chain. */
function hashFault(directory: RunDirectory, { runFile }: StartEvent): string | null {
  const sha256 = hash('sha256', readFileSync(directory.runFile))
  return runFile === undefined || runFile === sha256
    ? null
    : `its SHA-256 is ${sha256}, and the run was started by one with ${runFile}: it was changed`
}

function summaryFault(run: RunFile, look: Look, summary: Summary): string | null {
  const said = [
    ['run', run.run, summary.run],
    ['job', jobShortName(run.job), summary.job],
    ['instance', run.instance, summary.instance],
    ['retryOf', run.retryOf, summary.retryOf],
    ['startedAt', run.startedAt, summary.startedAt],
    // An older summary may speak of an input that has changed since.
    ...(summary.checkpointHead === look.head
      ? [['input', sums(run.input), sums(summary.input)] as const]
      : []),
  ] as const
  const other = said.find(([, here, there]) => here !== there)
  return other === undefined
    ? null
    : `${other[0]} is ${String(other[1])}, and summary.json says ${String(other[2])}`
}

function sums(files: readonly { sha256: string; bytes: number }[] | undefined): string {
  return files?.map(({ sha256, bytes }) => `${sha256} (${bytes} bytes)`).join(', ') ?? 'nothing'
}
