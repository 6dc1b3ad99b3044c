import type { Stop } from '../system/stop.js'

/** After a signal, calls in flight get so long to be answered; then their items stay unsettled. Kubernetes kills after 30 s. */
const graceMs = 15_000

const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const
type Signal = keyof typeof exitCodes
const signals = Object.keys(exitCodes) as Signal[]

/** Runs of this process that are asked to stop on a signal; with `--instances` there are several. */
let runsUnderWay = 0

/** The first signal stops in order, the second at once: what is recorded by then is recorded. */
export function stopOnSignals(stop: Stop, notice: (text: string) => void): () => void {
  let grace: NodeJS.Timeout | undefined
  const onSignal = (signal: Signal) => {
    if (grace !== undefined) {
      notice(`${signal} again: stopped at once. \`ada-bulk resume\` goes on.`)
      process.exit(exitCodes[signal])
    }
    notice(`${signal}: finishing the calls in flight. Once more stops at once.`)
    stop.request({ exitCode: exitCodes[signal], because: `${signal} received` })
    grace = setTimeout(() => stop.abortCalls(), graceMs).unref()
  }
  runsUnderWay += 1
  for (const signal of signals) process.on(signal, onSignal)
  return () => {
    runsUnderWay -= 1
    clearTimeout(grace)
    for (const signal of signals) process.off(signal, onSignal)
  }
}

/**
 * A signal before a run begins ends the process, `leaveNothing` first; nothing has been sent. While other runs of the
 * process are under way it may not do that: then the exit code is what this returns when it is ended.
 */
export function leaveOnSignals(leaveNothing: () => void): () => number | null {
  let exitCode: number | null = null
  const onSignal = (signal: Signal) => {
    leaveNothing()
    exitCode = exitCodes[signal]
    if (runsUnderWay === 0) process.exit(exitCode)
  }
  for (const signal of signals) process.once(signal, onSignal)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    return exitCode
  }
}
