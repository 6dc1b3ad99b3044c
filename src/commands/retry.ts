import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import { findRun, type RunDirectory } from '../checkpoint/directory.js'
import { settledItems } from '../checkpoint/items.js'
import { isOnBatches } from '../job.js'
import { directoryAt, directoryWithin } from '../runs/create.js'
import { loadJob } from '../runs/jobs.js'
import { loadRunFile } from '../runs/open.js'
import { sandboxKey } from '../sandbox/options.js'
import { refuseUnthrottled } from '../settings/addresses.js'
import { requiredKey, runsDirectory, withEnvFile } from '../settings/environment.js'
import type { FlagsOf } from '../settings/flags.js'
import type { InputFile } from '../sources/source.js'
import { UsageError } from '../system/errors.js'
import type { Command } from './command.js'
import { refuseUnasked } from './confirm.js'
import { namedFiles } from './input.js'
import { commonRequest, notifierRequest, type RunRequest } from './request.js'
import { showRuns } from './show.js'
import { startRun, whenIdle } from './start.js'
import type { Terminal } from './terminal.js'

type RetryFlags = FlagsOf<'retry'> & { run: string }

export const command: Command = {
  examples: [
    ['retry latest --yes', 'What failed or is unknown, once more'],
    ['retry latest --yes --attempts 10 --share 50%', 'More patient, and slower'],
  ],

  run(flags: RetryFlags, terminal) {
    const notifiers = notifierRequest(flags, terminal.environment, null)
    const runs = startRun(() => requestOf(flags, terminal), notifiers, terminal)
    return showRuns(runs, flags, () => false, terminal)
  },
}

async function requestOf(flags: RetryFlags, terminal: Terminal): Promise<RunRequest | null> {
  const environment = withEnvFile(terminal.environment, flags['env-file'])
  const runs = runsDirectory(flags, environment)
  const old = findRun(runs, flags.run)
  const { isSandbox, instance, hold, pseudonyms, ...asked } = loadRunFile(old)
  const request = commonRequest(flags, environment, isSandbox)
  const job = await loadJob(asked.job)
  if (isOnBatches(job.job.operation) || pseudonyms !== undefined) {
    throw new UsageError(
      `${old.name} is not retried: run its job again over the same input. End users that were submitted in the last seven days are left out by then, and the report says so.`,
    )
  }
  // A retry has IDs only, so it cannot tell which end users are behind them.
  const { erase: _erase, ...jobFlags } = asked.jobFlags
  const settings = {
    ...request.withChanges(asked.settings),
    format: 'csv',
    idColumn: 'conversation_id',
  } as const
  refuseUnthrottled(settings.limits, isSandbox ? null : instance)
  await whenIdle(old, request.isPatient, terminal)
  if (!(await hasAny(failedItems(old)))) {
    terminal.notice(`${old.name}: no item failed or is unknown, so there is nothing to retry.`)
    return null
  }
  refuseUnasked(request.isConfirmed, terminal)
  const key = isSandbox ? sandboxKey : requiredKey(flags, environment)
  const { 'run-dir': runDir } = flags
  return {
    ...request,
    origin: isSandbox ? null : instance,
    key: () => key,
    run: {
      job,
      jobFlags,
      settings,
      isSandbox,
      isParallel: flags.parallel ?? false,
      hold: [...hold, ...namedFiles(flags.hold)],
      retryOf: old.name,
      pseudonyms: null,
      plan: null,
      newDirectory: () => (runDir === undefined ? directoryWithin(runs, job.shortName) : directoryAt(runDir)),
      input: async ({ directory }) => ({ files: await writeFailedIds(old, directory), live: null }),
    },
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
async function writeFailedIds(old: RunDirectory, directory: string): Promise<InputFile[]> {
  const path = join(directory, fileName)
  const out = createWriteStream(path, { mode: 0o600, flush: true })
  out.write('conversation_id\n')
  for await (const id of failedItems(old)) out.write(`"${id.replaceAll('"', '""')}"\n`)
  out.end()
  await finished(out)
  return [{ name: fileName, path }]
}
