import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { isLoopback } from '../settings/addresses.js'
import { type Environment, given } from '../settings/environment.js'
import type { Flags } from '../settings/flags.js'
import { UsageError } from '../system/errors.js'
import { openHeartbeat } from './heartbeat.js'
import { metricsFileBegins, openMetricsFile } from './metrics-file.js'
import type { Notifier } from './notifier.js'
import { openPost, openWebhook } from './webhook.js'

type NotifierFlags = Pick<Flags, 'notify' | 'heartbeat' | 'metrics-file'>

/** The notifiers that flags or variables ask for. A variable, because others could read an address in a flag. */
export function requestedNotifiers(flags: NotifierFlags, environment: Environment): Notifier[] {
  const post = openPost()
  const urls = (flag: 'notify' | 'heartbeat') =>
    given(flags, flag, environment).map(([text, where]) => parseNoticeUrl(text, where))
  return [
    ...urls('notify').map((url) => openWebhook(url, post)),
    ...urls('heartbeat').map((url) => openHeartbeat(url, post)),
  ]
}

/** The metrics file, in a list of one or none. Throws a UsageError when it cannot be written. */
export function requestedMetricsFile(flags: NotifierFlags, environment: Environment): Notifier[] {
  return given(flags, 'metrics-file', environment).map(([text, where]) =>
    openMetricsFile(parseMetricsFile(text, where)),
  )
}

/**
 * An address for notifications. Everyone who knows it may write there: only its host is ever shown, and plain http is
 * accepted for this machine only.
 */
export function parseNoticeUrl(text: string, flag: string): URL {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null
  if (url === null || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new UsageError(`${flag}: not an address. Write it whole, beginning with https://.`)
  }
  if (url.username !== '' || url.password !== '') {
    throw new UsageError(`${flag}: an address with a user or password in it is not taken.`)
  }
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new UsageError(
      `${flag} ${url.origin}: plain http would send the address readable for all on the way. Write https://${url.host}/….`,
    )
  }
  return url
}

/** A file for node_exporter's textfile collector. Throws a UsageError where none can be written. */
export function parseMetricsFile(text: string, flag: string): string {
  if (!text.endsWith('.prom')) {
    throw new UsageError(`${flag} ${text}: must end in .prom, as node_exporter reads no other file.`)
  }
  const path = resolve(text)
  try {
    accessSync(dirname(path), constants.W_OK)
    if (
      existsSync(path) &&
      statSync(path).size > 0 &&
      !readFileSync(path, 'utf8').startsWith(metricsFileBegins)
    )
      throw new UsageError(
        `${flag} ${text}: holds something else than metrics of ada-bulk. Name another file.`,
      )
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw new UsageError(
      `${flag} ${text}: cannot be written (${(error as NodeJS.ErrnoException).code}). The directory must be there, and yours to write to.`,
    )
  }
  return path
}
