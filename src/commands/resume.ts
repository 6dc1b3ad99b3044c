import { existsSync } from 'node:fs'
import { findRun, type RunDirectory, readRunFile } from '../checkpoint/directory.js'
import { erasureOf, isErasing } from '../runs/follow-up.js'
import { loadRunFile } from '../runs/open.js'
import { findUnfinished } from '../runs/state.js'
import { sandboxKey } from '../sandbox/options.js'
import { refuseUnthrottled } from '../settings/addresses.js'
import { type Environment, requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { fingerprintOf } from '../sources/fingerprint.js'
import { pseudonymsOfRun } from '../sources/pseudonyms.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { refuseErasingUnasked } from './confirm.js'
import { namedFiles } from './input.js'
import { commonRequest, notifierRequest, type RunRequest } from './request.js'
import { showRuns } from './show.js'
import { startRun } from './start.js'
import type { Terminal } from './terminal.js'

export type ResumeFlags = FlagsOf<'resume'>

export const command: Command = {
  examples: [
    ['resume', 'Go on with the latest unfinished run'],
    ['resume latest --yes --share 50%', 'Slower than before, and without asking'],
  ],

  async run(flags: ResumeFlags & { run?: string }, terminal) {
    const environment = withEnvFile(terminal.environment, flags['env-file'])
    let isSweep = false
    const ask = async () => {
      const runs = runsDirectory(flags, environment)
      const directory = flags.run === undefined ? findUnfinished(runs) : findRun(runs, flags.run)
      if (directory === null)
        throw new UsageError(`there is no unfinished run in ${runs}. \`ada-bulk status\` lists the runs.`)
      isSweep = isErasing(readRunFile(directory))
      return resumeRequest(directory, flags, environment, terminal)
    }
    const notifiers = notifierRequest(flags, terminal.environment, null)
    return showRuns(startRun(ask, notifiers, terminal), flags, () => isSweep, terminal)
  },
}

/** Asks to resume a run under its settings, with what the flags change; hold lists are added to its own. */
export async function resumeRequest(
  directory: RunDirectory,
  flags: ResumeFlags,
  environment: Environment,
  terminal: Terminal,
): Promise<RunRequest> {
  const file = loadRunFile(directory)
  const request = commonRequest(flags, environment, file.isSandbox)
  const settings = request.withChanges(file.settings)
  const added = await Promise.all(namedFiles(flags.hold).map(fingerprintOf))
  if (flags['api-limit'] !== undefined)
    refuseUnthrottled(settings.limits, file.isSandbox ? null : file.instance)
  if (isErasing(file) && !existsSync(erasureOf(directory).runFile))
    refuseErasingUnasked(request.isErasureConfirmed, terminal)
  return {
    ...request,
    origin: file.isSandbox ? null : file.instance,
    // Asked for when it is needed: a run may be finished already.
    key: () => (file.isSandbox ? sandboxKey : requiredKey(flags, environment)),
    run: {
      directory,
      file: { ...file, settings, hold: [...file.hold, ...added] },
      acceptsChangedInput: flags['accept-changed-input'] ?? false,
      acceptsDamage: flags['accept-damaged-record'] ?? false,
      replaces: { share: flags.share !== undefined, limits: flags.limit !== undefined },
      pseudonyms: () => pseudonymsOfRun(file, environment),
    },
  }
}
