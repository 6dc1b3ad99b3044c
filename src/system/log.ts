import { lstatSync } from 'node:fs'
import pino, { type Logger } from 'pino'

export type { Logger }

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

interface LogOptions {
  path: string
  level: string
  /** Gets every line, too. */
  onLine?: ((line: string) => void) | undefined
}

/**
 * Opens a log of JSON lines. It is written synchronously: pino's asynchronous destination loses its buffer when the
 * process is killed. A log that cannot be written (no space left) does not stop a run; the checkpoint does.
 */
export function openLog(options: LogOptions): Logger {
  const { path, onLine } = options
  // Opening a pipe without a reader would hang, and a symbolic link may lead to a file of others.
  const isOther = lstatSync(path, { throwIfNoEntry: false })?.isFile() === false
  const file = isOther
    ? []
    : [pino.destination({ dest: path, sync: true, mode: 0o600 }).on('error', () => {})]
  const destinations = [...file, ...(onLine ? [{ write: (line: string) => onLine(line.trimEnd()) }] : [])]
  return pino(
    { level: options.level, base: null, timestamp: pino.stdTimeFunctions.isoTime },
    pino.multistream(destinations.map((stream) => ({ level: 'trace', stream }))),
  )
}
