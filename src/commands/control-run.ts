import { setTimeout as delay } from 'node:timers/promises'
import { findRun, type RunDirectory } from '../checkpoint/directory.js'
import { type Control, changeControl, readLiveStatus } from '../monitor/status.js'
import { runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import type { Flags } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import type { Shell } from './shell.js'

/** A running process looks four times a second and says how it stands once a second. */
const heardWithinMs = 5000
const lookEveryMs = 100

/**
 * Asks something of a run in whatever process, and waits until it was heard. `done` and `later` say so for people:
 * of a run that goes on now, and of one that will when it is resumed.
 */
export async function controlRun(
  flags: Flags & { run: string },
  shell: Shell,
  change: Parameters<typeof changeControl>[1],
  words: { done: string; later: string },
): Promise<number> {
  const directory = findRun(runsDirectory(flags, shell.environment), flags.run)
  const state = runState(directory)
  if (state.kind === 'finished') throw new UsageError(`${directory.name} is finished: nothing is left to do.`)
  const control = changed(directory, change)
  const isHeard = state.kind === 'running' && (await isHeardBy(directory, control))
  if (isHeard) shell.print(`${directory.name}: ${words.done}`)
  else if (state.kind !== 'running') shell.print(`${directory.name} does not run now. ${words.later}`)
  else
    shell.print(
      `${directory.name}: asked for, but its process has not answered yet. \`ada-bulk status ${directory.name}\` says how it stands.`,
    )
  return 0
}

function changed(directory: RunDirectory, change: Parameters<typeof changeControl>[1]): Control {
  try {
    return changeControl(directory.control, change)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === undefined) throw error
    throw new UsageError(`cannot write ${directory.control} (${code}). Is it somebody else's run?`)
  }
}

async function isHeardBy(directory: RunDirectory, control: Control): Promise<boolean> {
  for (let waitedMs = 0; waitedMs < heardWithinMs; waitedMs += lookEveryMs) {
    if (readLiveStatus(directory.live)?.controlAt === control.at) return true
    if (runState(directory).kind !== 'running') return false
    await delay(lookEveryMs)
  }
  return false
}
