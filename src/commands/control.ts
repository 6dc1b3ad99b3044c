import { setTimeout as delay } from 'node:timers/promises'
import { findRun, type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { type Control, changeControl, readControl, readLiveStatus } from '../monitor/status.js'
import { runState } from '../runs/state.js'
import { runsDirectory } from '../settings/environment.js'
import { type FlagsOf, typedIn } from '../settings/flags.js'
import type { RateWindow } from '../settings/limits.js'

import { parseShare } from '../settings/values.js'

import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { paceText } from './forecast.js'
import type { Terminal } from './terminal.js'

type ControlFlags = FlagsOf<'pause'> & { run: string }

export const pause: Command = {
  examples: [
    ['pause latest', 'Calls in flight end, and none leaves; from any terminal or host'],
    ['continue latest', 'Continue'],
  ],
  run: (flags: ControlFlags, terminal) =>
    controlRun(
      flags,
      terminal,
      { isPaused: true },
      {
        done: `paused. \`ada-bulk continue ${flags.run}\` lets it go on.`,
        later: `When it is resumed it begins with a pause, until \`ada-bulk continue ${flags.run}\`.`,
      },
    ),
}

export const continueRun: Command = {
  examples: [
    ['continue latest', 'Continue after `pause`'],
    ['resume latest --yes', 'For a run that has no process any more'],
  ],
  run: (flags: ControlFlags, terminal) =>
    controlRun(
      flags,
      terminal,
      { isPaused: false },
      {
        done: 'goes on.',
        later: `It is not paused any more; go on with it by \`ada-bulk resume ${flags.run}\`.`,
      },
    ),
}

export const throttle: Command = {
  examples: [
    ['throttle latest --share 50%', 'Half of every window from now on'],
    ['throttle latest --limit 100/m', 'A cap on top, in place of the one that is as long'],
  ],

  run(flags: FlagsOf<'throttle'> & { run: string }, terminal) {
    if (flags.share === undefined && flags.limit === undefined) {
      throw new UsageError('throttle to what? Give --share 50% or --limit 10/s, or both.')
    }
    const directory = findRun(runsDirectory(flags, terminal.environment), flags.run)
    const { settings } = readRunFile(directory)
    const before = readControl(directory.control)?.control
    const share = flags.share === undefined ? null : parseShare(flags.share)
    const capsBefore = before?.limits ?? settings.caps
    const asked = typedIn(flags, 'limit', 'throttle')
    const caps = asked === undefined ? null : replaced(capsBefore, asked)
    const change = { ...(share === null ? {} : { share }), ...(caps === null ? {} : { limits: caps }) }
    const pace = paceText({
      limits: settings.limits,
      caps: caps ?? capsBefore,
      share: share ?? before?.share ?? settings.share,
    })
    return controlRun(flags, terminal, change, {
      done: `now ${pace}.`,
      later: `When it is resumed: ${pace}.`,
    })
  },
}

/** A running process looks four times a second, and writes its status once a second. */
const heardWithinMs = 5000
const lookEveryMs = 100

/**
 * Asks something of a run in any process, and waits until that process has seen it. `done` is said of a run that is
 * at work, `later` of one that has to be resumed.
 */
async function controlRun(
  flags: ControlFlags,
  terminal: Terminal,
  change: Parameters<typeof changeControl>[1],
  words: { done: string; later: string },
): Promise<number> {
  const directory = findRun(runsDirectory(flags, terminal.environment), flags.run)
  const state = runState(directory)
  if (state.kind === 'finished') throw new UsageError(`${directory.name} is finished: nothing is left to do.`)
  const control = changed(directory, change)
  const isHeard = state.kind === 'running' && (await isHeardBy(directory, control))
  if (isHeard) terminal.print(`${directory.name}: ${words.done}`)
  else if (state.kind !== 'running') terminal.print(`${directory.name} does not run now. ${words.later}`)
  else
    terminal.print(
      `${directory.name}: asked for, but its process has not answered yet. \`ada-bulk status ${directory.name}\` says how it is doing.`,
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

/** A cap takes the place of the one that is as long; the others stay. */
function replaced(before: readonly RateWindow[], asked: RateWindow[]): RateWindow[] {
  const kept = before.filter(({ perMs }) => asked.every((window) => window.perMs !== perMs))
  return [...asked, ...kept].sort((a, b) => a.perMs - b.perMs)
}
