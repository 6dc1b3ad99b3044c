import { randomUUID } from 'node:crypto'
import { type Notification, type Notifier, notificationText } from './notifier.js'
import type { Post } from './webhook.js'

const everyMs = 5 * 60_000

/**
 * Pings a check of the kind of healthchecks.io: `/start`, every five minutes `/log`, and at the end the exit code, with
 * a sentence that is kept there. `id` tells the check which start and end belong together.
 */
export function openHeartbeat(url: URL, post: Post, id: string = randomUUID()): Notifier {
  return {
    name: `--heartbeat ${url.origin}`,
    everyMs,
    notify: (notification, signal) =>
      post(
        pingUrl(url, pingOf(notification), id),
        { type: 'text/plain; charset=utf-8', body: notificationText(notification) },
        signal,
      ),
  }
}

/** A run that --max-duration or --max-items stopped is no failure. */
const isResumedLater = 75

function pingOf({ event, exitCode }: Notification): string {
  if (event === 'started') return 'start'
  if (exitCode === null) return 'log'
  return String(exitCode === isResumedLater ? 0 : exitCode)
}

function pingUrl(url: URL, ping: string, id: string): URL {
  const whole = new URL(url)
  whole.pathname = `${url.pathname.replace(/\/+$/, '')}/${ping}`
  whole.searchParams.set('rid', id)
  return whole
}
