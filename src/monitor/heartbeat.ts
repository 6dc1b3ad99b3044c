import { randomUUID } from 'node:crypto'
import { type Notice, newsText, type RunNews } from './notifier.js'
import type { Post } from './post.js'

const everyMs = 5 * 60_000

/**
 * Pings a check in the manner of healthchecks.io: `/start`, now and then `/log`, and at the end the exit code, with a
 * sentence that is kept there. `id` tells the check which start and end belong together.
 */
export function openHeartbeat(url: URL, post: Post, id: string = randomUUID()): Notice {
  return {
    name: `--heartbeat ${url.origin}`,
    everyMs,
    tell: (news, signal) =>
      post(
        pingUrl(url, pingOf(news), id),
        { type: 'text/plain; charset=utf-8', body: newsText(news) },
        signal,
      ),
  }
}

/** A run that was told to stop by --max-duration or --max-items did what it was told: that is no failure. */
const goesOnLater = 75

function pingOf({ event, exitCode }: RunNews): string {
  if (event === 'started') return 'start'
  if (exitCode === null) return 'log'
  return String(exitCode === goesOnLater ? 0 : exitCode)
}

function pingUrl(url: URL, ping: string, id: string): URL {
  const whole = new URL(url)
  whole.pathname = `${url.pathname.replace(/\/+$/, '')}/${ping}`
  whole.searchParams.set('rid', id)
  return whole
}
