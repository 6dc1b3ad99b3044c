import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { findRun, type RunDirectory } from '../checkpoint/directory.js'
import { settledItems } from '../checkpoint/items.js'
import { isOnBatches } from '../job.js'
import type { Notifiers } from '../monitor/notifiers.js'
import type { Coordination } from '../runs/coordination.js'
import { loadJob } from '../runs/jobs.js'
import { readAskedRun } from '../runs/loaded-run.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import { changedSettings, stopLimits } from '../settings/run-settings.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import { checkShowFlags } from './begin.js'
import { type Command, optionsOf } from './command.js'
import { refuseUnasked } from './confirm.js'
import { coordinated } from './coordinated.js'
import { namedFiles } from './input-files.js'
import { beginNewRun } from './new-run.js'
import type { Shell } from './shell.js'
import { isIdle } from './take-locks.js'
import { telling } from './telling.js'

type RetryFlags = FlagsOf<'retry'> & { run: string }

export const command: Command = {
  flags: (argv) =>
    argv
      .positional('run', { type: 'string', describe: "A run's directory or name, or latest" })
      .options(optionsOf('retry'))
      .example('$0 retry latest --yes', 'What failed or is unknown, once more')
      .example('$0 retry latest --yes --attempts 10 --share 50%', 'More patient, and slower'),

  run: (flags: RetryFlags, shell) =>
    telling(flags, shell, null, (notices) => startAgain(flags, shell, notices)),
}

async function startAgain(flags: RetryFlags, shell: Shell, notices: Notifiers): Promise<number> {
  const environment = withEnvFile(shell.environment, flags['env-file'])
  checkShowFlags(flags)
  const limits = stopLimits(flags)
  const runs = runsDirectory(flags, environment)
  const old = findRun(runs, flags.run)
  const asked = readAskedRun(old)
  const job = await loadJob(asked.job)
  if (isOnBatches(job.job.operation) || asked.pseudonyms !== undefined) {
    throw new UsageError(
      `${old.name} is not retried: run its job again over the same input. Who was handed over in the last seven days is left out by then, and said so.`,
    )
  }
  // Who is behind the conversations a retry cannot tell: the list of what failed names nobody.
  const { erase: _erase, ...jobFlags } = asked.jobFlags
  const settings = { ...changedSettings(asked.settings, flags), format: 'csv', idColumn: 'conversation_id' }
  if (!(await isIdle(old, flags.wait, shell))) return 75
  if (!(await hasAny(failedItems(old)))) {
    shell.notice(`${old.name}: no item failed or is unknown, so there is nothing to retry.`)
    return 0
  }
  refuseUnasked(flags.yes, shell)
  const key = asked.isSandbox ? sandboxKey : requiredKey(flags, environment)
  const sandbox = asked.isSandbox ? await startSandbox() : null
  try {
    const begin = (coordination: Coordination) =>
      beginNewRun(
        {
          ...limits,
          coordination,
          notices,
          job,
          jobFlags,
          settings,
          origin: sandbox?.url ?? asked.instance,
          key,
          isSandbox: asked.isSandbox,
          isParallel: flags.parallel ?? false,
          isConfirmed: flags.yes ?? false,
          runsDirectory: runs,
          runDirectory: flags['run-dir'],
          hold: [...asked.hold, ...namedFiles(flags.hold)],
          retryOf: old.name,
          input: async (directory) => ({ files: await writeFailedIds(old, directory), live: null }),
        },
        flags,
        shell,
      )
    return await coordinated(flags, environment, sandbox !== null, begin)
  } finally {
    await sandbox?.close()
  }
}

async function* failedItems(old: RunDirectory): AsyncGenerator<string> {
  for await (const batch of settledItems(old.checkpoint)) {
    for (const { id, status } of batch) if (status === 'failed' || status === 'unknown') yield id
  }
}

async function hasAny(ids: AsyncGenerator<string>): Promise<boolean> {
  for await (const _ of ids) return true
  return false
}

const fileName = 'retry.csv'

/** The input of a retry: a list of IDs, kept in the new run's directory. */
async function writeFailedIds(old: RunDirectory, directory: RunDirectory): Promise<InputFile[]> {
  const path = join(directory.path, fileName)
  const out = createWriteStream(path, { mode: 0o600, flush: true })
  out.write('conversation_id\n')
  for await (const id of failedItems(old)) out.write(`"${id.replaceAll('"', '""')}"\n`)
  out.end()
  await finished(out)
  return [{ name: fileName, path }]
}
