import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { RunDirectory } from '../checkpoint/directory.js'
import type { Summary } from '../checkpoint/summary.js'
import type { Progress } from '../monitor/lines.js'
import type { Notifiers } from '../monitor/notifiers.js'
import type { RunView } from '../monitor/view.js'
import type { Coordination } from '../runs/coordination.js'
import { execute } from '../runs/execute.js'
import type { OpenRun } from '../runs/open.js'
import type { Flags } from '../settings/flags.js'
import { systemClock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { type Logger, logLevels, openLog } from '../system/log.js'
import { Stop } from '../system/stop.js'
import { saveMemory } from './save-memory.js'
import type { Shell } from './shell.js'
import { stopOnSignals } from './signals.js'
import { summaryText } from './summary-text.js'

/** What `run`, `resume` and `retry` have found out when the run may begin. */
export interface Beginning {
  run: OpenRun
  key: string
  coordination: Pick<Coordination, 'openLedger'>
  maxItems: number
  /** Items that a person agreed to. */
  confirmed: number
  pollForMs?: number
  maxDurationMs: number | null
  notices: Notifiers
}

/** Runs with progress, log and signals; prints the summary and returns the exit code. */
export async function begin(beginning: Beginning, flags: Flags, shell: Shell): Promise<number> {
  const stop = new Stop()
  let progress = noProgress(shell)
  const { notices, maxDurationMs, run, key, coordination, maxItems, confirmed, pollForMs } = beginning
  const { file } = run
  const log = openRunLog(run.directory, flags, (line) => progress.note(line))
  const ignoreSignals = stopOnSignals(stop, (text) => {
    progress.stop()
    shell.notice(text)
  })
  const timer =
    maxDurationMs === null
      ? undefined
      : setTimeout(
          () => stop.request({ exitCode: 75, because: '--max-duration reached' }),
          Math.min(maxDurationMs, 2 ** 31 - 1),
        )
  const showProgress = await progressOf(flags, shell)
  try {
    log.info({ run: file.run, job: file.job, instance: file.instance }, 'run begins')
    const summary = await execute(run, {
      key,
      openLedger: coordination.openLedger,
      limits: { maxItems, confirmed, ...(pollForMs === undefined ? {} : { pollForMs }) },
      stop,
      clock: systemClock,
      random: Math.random,
      log,
      listeners: [notices],
      onFirstItem: saveMemory,
      onStart(view) {
        progress = showProgress(view)
        notices.watch(file, run.directory.path, view, log)
      },
    })
    progress.stop()
    notices.ended(summary)
    log.info(
      { exitCode: summary.exitCode, because: summary.stoppedBecause, totals: summary.totals },
      'run ends',
    )
    printSummary(summary, flags, shell)
    return summary.exitCode
  } finally {
    progress.stop()
    clearTimeout(timer)
    ignoreSignals()
  }
}

export function printSummary(summary: Summary, flags: Flags, shell: Shell): void {
  if (flags.json) shell.print(JSON.stringify(summary, null, 2))
  else if (!flags.quiet) shell.print(summaryText(summary, existsSync(join(summary.directory, 'report.csv'))))
}

/** Checks what is wrong with the flags before anything else happens. */
export function checkShowFlags(flags: Flags): void {
  const level = flags['log-level']
  if (level !== undefined && !(logLevels as readonly string[]).includes(level)) {
    throw new UsageError(`--log-level ${level}: not a level. There are ${logLevels.join(', ')}.`)
  }
}

/** A level that is named on the command line asks for the log on stderr, too. */
function openRunLog(directory: RunDirectory, flags: Flags, onLine: (line: string) => void): Logger {
  const level = flags['log-level']
  return openLog({
    path: directory.log,
    level: level ?? 'info',
    onLine: level === undefined ? undefined : onLine,
  })
}

const noProgress = (shell: Shell): Progress => ({ note: shell.notice, stop() {} })

async function progressOf(flags: Flags, shell: Shell): Promise<(view: () => RunView) => Progress> {
  const asked = flags.quiet ? 'none' : (flags.progress ?? 'auto')
  const kind = asked === 'auto' ? (shell.isStderrTerminal ? 'bar' : 'plain') : asked
  switch (kind) {
    case 'bar': {
      const { barProgress } = await import('../monitor/bar.js')
      return (view) => barProgress(view, process.stderr)
    }
    case 'plain': {
      const { plainProgress } = await import('../monitor/lines.js')
      return (view) => plainProgress(view, shell.notice)
    }
    case 'json': {
      const { jsonProgress } = await import('../monitor/lines.js')
      return (view) => jsonProgress(view, shell.notice)
    }
    default:
      return () => noProgress(shell)
  }
}
