import { setFlagsFromString } from 'node:v8'
import type { Summary } from '../checkpoint/summary.js'
import type { Progress } from '../monitor/lines.js'
import type { Notifiers } from '../monitor/notifiers.js'
import type { RunView } from '../monitor/view.js'
import type { OpenRun } from '../runs/open.js'
import { isHangupIgnored } from '../system/host.js'
import { type Logger, openLog } from '../system/log.js'
import { Stop } from '../system/stop.js'
import type { RunViewRequest } from './request.js'
import { Interrupted, type Terminal } from './terminal.js'

/** What watches a run while it executes, and what may stop it: signals and `--max-duration`. */
export interface Monitor extends Disposable {
  stop: Stop
  log: Logger
  onStart(view: () => RunView): void
  onFirstItem(): void
  ended(summary: Summary): void
}

export async function openMonitor(
  { directory, file }: Pick<OpenRun, 'directory' | 'file'>,
  view: RunViewRequest,
  maxDurationMs: number | null,
  notifiers: Notifiers,
  terminal: Terminal,
): Promise<Monitor> {
  const stop = new Stop()
  let progress = noProgress(terminal)
  const onLine = view.logLevel === undefined ? undefined : (line: string) => progress.note(line)
  const log = openLog({ path: directory.log, level: view.logLevel ?? 'info', onLine })
  const startProgress = await progressOf(view, terminal)
  const timer =
    maxDurationMs === null
      ? undefined
      : setTimeout(
          () => stop.request({ exitCode: 75, because: '--max-duration reached' }),
          Math.min(maxDurationMs, 2 ** 31 - 1),
        )
  const ignoreSignals = stopOnSignals(stop, (text) => {
    progress.stop()
    terminal.notice(text)
  })
  log.info({ run: file.run, job: file.job, instance: file.instance }, 'run begins')
  return {
    stop,
    log,
    onStart(look) {
      progress = startProgress(look)
      notifiers.watch(file, directory.path, look, log)
    },
    onFirstItem: saveMemory,
    ended(summary) {
      progress.stop()
      notifiers.ended(summary)
      const { exitCode, stoppedBecause: because, totals } = summary
      log.info({ exitCode, because, totals }, 'run ends')
    },
    [Symbol.dispose]() {
      progress.stop()
      clearTimeout(timer)
      ignoreSignals()
    },
  }
}

const noProgress = (terminal: Terminal): Progress => ({ note: terminal.notice, stop() {} })

async function progressOf(
  { progress }: RunViewRequest,
  terminal: Terminal,
): Promise<(view: () => RunView) => Progress> {
  const kind = progress === 'auto' ? (terminal.isStderrTerminal ? 'bar' : 'plain') : progress
  switch (kind) {
    case 'bar': {
      const { barProgress } = await import('../monitor/bar.js')
      return (view) => barProgress(view, process.stderr)
    }
    case 'plain': {
      const { plainProgress } = await import('../monitor/lines.js')
      return (view) => plainProgress(view, terminal.notice)
    }
    case 'json': {
      const { jsonProgress } = await import('../monitor/lines.js')
      return (view) => jsonProgress(view, terminal.notice)
    }
    default:
      return () => noProgress(terminal)
  }
}

/**
 * From here on V8 collects garbage as soon as there is a little, not when it is a multiple of what is in use: for work
 * that waits for rate limits most of the time, or reads a million lines beside other processes. Costs a tenth to a
 * third more CPU time.
 */
export function saveMemory(): void {
  setFlagsFromString('--optimize-for-size')
}

/** How long calls in flight may take after a signal; then their items stay unsettled. Kubernetes kills after 30 s. */
const graceMs = 15_000

const exitCodes = { SIGHUP: 129, SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof exitCodes
const signals = Object.keys(exitCodes) as Signal[]

/** Whether the process was started to outlive its terminal: Node takes back that a parent had SIGHUP ignored. */
const outlivesTerminal = isHangupIgnored(process.env._)

function isSeen(signal: Signal): boolean {
  return signal !== 'SIGHUP' || !outlivesTerminal
}

/** With `--instances`, one process executes several runs, and each of them listens. */
process.setMaxListeners(0)
let runsExecuting = 0

/** The first signal stops in order, the second at once: what is recorded by then stays recorded. */
export function stopOnSignals(stop: Stop, notice: (text: string) => void): () => void {
  let grace: NodeJS.Timeout | undefined
  const onSignal = (signal: Signal) => {
    if (!isSeen(signal)) return
    if (grace !== undefined) {
      notice(`${signal} again: stopped at once. \`ada-bulk resume\` goes on.`)
      process.exit(exitCodes[signal])
    }
    notice(`${signal}: finishing the calls in flight. Once more stops at once.`)
    stop.request({ exitCode: exitCodes[signal], because: `${signal} received` })
    grace = setTimeout(() => stop.abortCalls(), graceMs).unref()
  }
  runsExecuting += 1
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    runsExecuting -= 1
    clearTimeout(grace)
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/**
 * Until it is disposed of, a signal ends the process, after `discard`: nothing has been sent. While other runs of the
 * process execute, `throwIfSignalled` does that instead, for this run alone.
 */
export function leaveOnSignals(discard: () => void): Disposable & { throwIfSignalled(): void } {
  let exitCode: number | null = null
  const onSignal = (signal: Signal) => {
    if (!isSeen(signal)) return
    discard()
    exitCode = exitCodes[signal]
    if (runsExecuting === 0) process.exit(exitCode)
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    throwIfSignalled() {
      if (exitCode !== null) throw new Interrupted(exitCode)
    },
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, onSignal)
    },
  }
}
