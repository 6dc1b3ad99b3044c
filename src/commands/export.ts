import { existsSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'
import { LogWriteError } from '../checkpoint/log.js'
import { KeyRefusedError } from '../operations/retry.js'
import { ApiDownError } from '../pacing/breaker.js'
import { LedgerLostError } from '../pacing/ledger.js'
import { type Downloaded, ExportRefusedError, fetchExport } from '../runs/export.js'
import { exportLimits } from '../runs/export-pages.js'
import { openHost } from '../runs/host.js'
import { takeLock } from '../runs/lock-file.js'
import { sandboxKey } from '../sandbox/options.js'
import { startSandbox } from '../sandbox/server.js'
import { instanceOrigin, noInstance, refuseUnthrottled } from '../settings/addresses.js'
import { requiredKey, withEnvFile } from '../settings/environment.js'
import { type FlagsOf, valueIn } from '../settings/flags.js'
import { exportSpan, newSettings } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'
import { makeDirectory } from '../system/files.js'
import { Stop, Stopped } from '../system/stop.js'
import { counted, inDigits } from '../system/text.js'
import type { Command } from './command.js'
import { sandboxConversations } from './input.js'
import { stopOnSignals } from './monitor.js'
import { hostOptions } from './request.js'
import { relativePath } from './show.js'
import type { Terminal } from './terminal.js'

type ExportFlags = FlagsOf<'export'>

export const command: Command = {
  examples: [
    [
      'export --sandbox --updated-since 90d --output export.jsonl.gz',
      'The conversations of the last 90 days',
    ],
    ['export --sandbox --created-since 60d --to 30d -o older.jsonl.gz', 'Those of a month'],
  ],

  async run(flags: ExportFlags, terminal) {
    const environment = withEnvFile(terminal.environment, flags['env-file'])
    const settings = newSettings(flags, { operation: { limits: exportLimits } })
    const span = exportSpan(flags, Date.now(), terminal.notice)
    const pageSize = valueIn(flags, 'page-size')
    const output = resolve(flags.output)
    refuseTaken(output, flags.output)
    const instance = flags.sandbox ? null : instanceOrigin(flags, environment)
    if (!flags.sandbox && instance === null) throw new UsageError(noInstance)
    refuseUnthrottled(settings.limits, instance)
    const key = flags.sandbox ? sandboxKey : requiredKey(flags, environment)
    makePlace(dirname(output))
    const attempt = takeLock(dirname(output), `.${basename(output)}.lock`, output)
    if (attempt.lock === null) {
      terminal.notice(
        `ada-bulk: process ${attempt.holder.pid} on ${attempt.holder.host} is writing ${flags.output} already.`,
      )
      return 75
    }
    const sandbox = flags.sandbox ? await startSandbox({ conversations: sandboxConversations }) : null
    const stop = new Stop()
    const ignoreSignals = stopOnSignals(stop, terminal.notice)
    try {
      // Another process may have finished it meanwhile.
      refuseTaken(output, flags.output)
      const origin = sandbox?.url ?? instance!
      const request = {
        span,
        asked: `${flags['updated-since'] ?? ''} ${flags['created-since'] ?? ''} ${flags.to ?? ''} ${instance}`,
        output,
        pageSize,
        ...(flags.quiet ? {} : { onPage: (so: Downloaded) => terminal.notice(pageText(so)) }),
      }
      const access = { origin, key, isSandbox: sandbox !== null }
      await using host = await openHost(hostOptions(flags, environment, sandbox !== null))
      const downloaded = await fetchExport(request, access, settings, host.openLedger, stop)
      if (flags.json) terminal.print(JSON.stringify({ output, ...numbersOf(downloaded) }, null, 2))
      else if (!flags.quiet)
        terminal.print(`${counted(downloaded.records, 'record')} in ${relativePath(output)}`)
      return 0
    } catch (error) {
      return stoppedWith(error, stop, terminal)
    } finally {
      ignoreSignals()
      await sandbox?.close()
      // A file that is there is not written again, so it needs no lock.
      if (existsSync(output)) attempt.lock.remove()
      else attempt.lock.release()
    }
  },
}

/** The exit code of a download that did not come to its end; what is there stays for the next time. */
function stoppedWith(error: unknown, stop: Stop, terminal: Terminal): number {
  if (error instanceof Stopped) {
    terminal.notice('Stopped. The same command goes on from here.')
    return stop.reason?.exitCode ?? 75
  }
  if (error instanceof LedgerLostError) {
    terminal.notice(`ada-bulk: ${error.message} When Redis is back, the same command goes on from here.`)
    return 75
  }
  if (
    error instanceof ExportRefusedError ||
    error instanceof KeyRefusedError ||
    error instanceof ApiDownError ||
    error instanceof LogWriteError
  ) {
    terminal.notice(`ada-bulk: ${error.message}. When that is mended, the same command goes on from here.`)
    return 4
  }
  throw error
}

function refuseTaken(output: string, named: string): void {
  if (existsSync(output))
    throw new UsageError(`${named} is there already. Remove it, or name another --output.`)
}

function makePlace(path: string): void {
  try {
    makeDirectory(path)
  } catch (error) {
    throw new UsageError(
      `cannot write to ${path} (${(error as NodeJS.ErrnoException).code}). Name another --output.`,
    )
  }
}

function pageText({ records, pages, queries, queriesAll }: Downloaded): string {
  return `page ${inDigits(pages)}: ${counted(records, 'record')}, ${queries} of ${queriesAll} queries done`
}

function numbersOf({ records, pages, queries }: Downloaded) {
  return { records, pages, queries }
}
