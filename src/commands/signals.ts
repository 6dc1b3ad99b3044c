import type { Stop } from '../stop.js'

/** After a signal, calls in flight get so long to be answered; then their items stay unsettled. */
const graceMs = 20_000

/** The first signal stops in order, the second at once: what is recorded by then is recorded. */
export function stopOnSignals(stop: Stop, notice: (text: string) => void): () => void {
  const exitCodes = { SIGINT: 130, SIGTERM: 143 } as const
  let grace: NodeJS.Timeout | undefined
  const onSignal = (signal: NodeJS.Signals) => {
    const exitCode = exitCodes[signal as keyof typeof exitCodes]
    if (grace !== undefined) process.exit(exitCode)
    notice(`${signal}: finishing the calls in flight. Once more stops at once.`)
    stop.request({ exitCode, because: `${signal} received` })
    grace = setTimeout(() => stop.abortCalls(), graceMs).unref()
  }
  for (const signal of Object.keys(exitCodes)) process.on(signal, onSignal)
  return () => {
    clearTimeout(grace)
    for (const signal of Object.keys(exitCodes)) process.off(signal, onSignal)
  }
}
