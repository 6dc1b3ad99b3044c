import pino, { type Logger } from 'pino'

export type { Logger }

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export interface LogOptions {
  /** The run's own log file. */
  path: string
  level: string
  /** Also to stderr: asked for on the command line. */
  isOnStderr: boolean
}

/**
 * Opens a log of JSON lines. Written synchronously: pino's asynchronous destination loses what it holds when the
 * process is killed. A log that cannot be written (no space left) does not stop a run; the checkpoint does.
 */
export function openLog(options: LogOptions): Logger {
  const destinations = [options.path, ...(options.isOnStderr ? [2] : [])].map((dest) =>
    pino.destination({ dest, sync: true, mode: 0o600 }).on('error', () => {}),
  )
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(destinations.map((stream) => ({ level: 'trace', stream }))),
  )
}
