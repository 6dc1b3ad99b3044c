import { type OldRun, oldRuns, removeRun, sweepPruned } from '../runs/prune.js'
import { runsDirectory, stateDirectory } from '../settings/environment.js'
import { type FlagsOf, valueIn } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { counted, inDigits, messageOf } from '../system/text.js'
import type { Command } from './command.js'
import { typeNumber } from './confirm.js'

export const command: Command = {
  examples: [
    ['prune --older-than 400d --dry-run', 'What would be removed'],
    ['prune --older-than 400d --yes', 'Without asking, for cron'],
  ],

  async run(flags: FlagsOf<'prune'>, terminal) {
    const olderThanMs = valueIn(flags, 'older-than')
    const runs = runsDirectory(flags, terminal.environment)
    const isDry = flags['dry-run'] ?? false
    if (!isDry && !flags.yes && !terminal.isInteractive)
      throw new UsageError(
        'there is no terminal to ask on: look with --dry-run at what would be removed, then say --yes.',
      )
    const found = oldRuns(runs, {
      beforeMs: Date.now() - olderThanMs,
      isUnfinishedTaken: flags.unfinished ?? false,
      stateDirectory: stateDirectory(terminal.environment),
    })
    const going = found.filter(({ keptBecause }) => keptBecause === null)
    if (!flags.json) terminal.print(listText(found, going, runs, flags['older-than']))
    if (!isDry && going.length > 0 && !flags.yes) {
      terminal.notice(`\nThis will remove ${counted(going.length, 'run')} from ${runs}. It cannot be undone.`)
      await typeNumber(terminal, going.length, 'Nothing was removed.')
    }
    const removed = isDry ? [] : remove(runs, going)
    if (flags.json) terminal.print(JSON.stringify({ runs: found, removed }, null, 2))
    else if (removed.length > 0) terminal.print(`Removed ${counted(removed.length, 'run')}.`)
    return 0
  },
}

/** The names of those that are gone now. */
function remove(runs: string, going: readonly OldRun[]): string[] {
  try {
    sweepPruned(runs)
    return going.filter(removeRun).map(({ run }) => run)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error
    throw new UsageError(
      `cannot remove from ${runs}: ${messageOf(error)}. What is gone is gone; the rest stays.`,
    )
  }
}

function listText(found: readonly OldRun[], going: readonly OldRun[], runs: string, age: string): string {
  if (found.length === 0) return `No run in ${runs} is older than ${age}.`
  const bytes = going.reduce((sum, run) => sum + run.bytes, 0)
  return [
    ...found.map(
      ({ run, state, endedAt, bytes, keptBecause, foreignFiles }) =>
        `${keptBecause === null ? 'remove' : 'keep  '}  ${run}  ${state} ${endedAt.slice(0, 10)}  ${inSize(bytes)}${because(keptBecause, foreignFiles)}`,
    ),
    `${counted(going.length, 'run')} of ${inDigits(found.length)} to remove, ${inSize(bytes)}.`,
  ].join('\n')
}

function because(keptBecause: string | null, foreignFiles: readonly string[]): string {
  if (keptBecause !== null) return `: ${keptBecause}`
  if (foreignFiles.length === 0) return ''
  return `: ${counted(foreignFiles.length, 'file')} of others stay in it (${foreignFiles.slice(0, 3).join(', ')})`
}

function inSize(bytes: number): string {
  return bytes < 100_000
    ? `${inDigits(Math.ceil(bytes / 1000))} KB`
    : `${inDigits(Math.round(bytes / 100_000) / 10)} MB`
}
