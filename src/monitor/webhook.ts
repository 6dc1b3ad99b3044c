import { setTimeout as delay } from 'node:timers/promises'
import { version } from '../system/host.js'
import { type Notification, type Notifier, notificationText } from './notifier.js'

const slackHosts = ['hooks.slack.com', 'hooks.slack-gov.com']

/** Posts how a run ended, and that the API fails for everybody: as JSON, or as a message to Slack. */
export function openWebhook(url: URL, post: Post): Notifier {
  const bodyOf = slackHosts.includes(url.hostname)
    ? slackMessage
    : (notification: Notification) => ({ ...notification, text: notificationText(notification) })
  return {
    name: `--notify ${url.origin}`,
    everyMs: Number.POSITIVE_INFINITY,
    async notify(notification, signal) {
      if (notification.event === 'started') return
      await post(url, { type: 'application/json', body: JSON.stringify(bodyOf(notification)) }, signal)
    },
  }
}

/** Without Slack's formatting, which reads the underscores in our words as italics. */
export function slackMessage(notification: Notification): { text: string; mrkdwn: false } {
  const lines = [notificationText(notification)]
  if (notification.directory !== null) lines.push(`${notification.host}: ${notification.directory}`)
  return { text: slackEscaped(lines.join('\n')), mrkdwn: false }
}

/** Slack gives these three a meaning, and `<!channel>` would call everybody. */
function slackEscaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}

/**
 * Posts to an address that is a secret: no error contains any of it. Tries a few times, unless the signal is aborted.
 */
export type Post = (url: URL, message: PostedMessage, signal: AbortSignal) => Promise<void>

export interface PostedMessage {
  type: string
  body: string
}

export interface PostRetries {
  /** For one try. */
  timeoutMs: number
  triesMax: number
  /** After the first try that failed, and twice that after the second. */
  pauseMs: number
}

export function openPost(retries: PostRetries = { timeoutMs: 5000, triesMax: 3, pauseMs: 500 }): Post {
  return async (url, message, signal) => {
    for (let tries = 1; ; tries++) {
      const failure = await tryOnce(url, message, signal, retries.timeoutMs)
      if (failure === null) return
      if (!failure.isForNow || tries === retries.triesMax) throw new Error(failure.because)
      await delay(retries.pauseMs * tries, undefined, { signal }).catch(() => {
        throw new Error(failure.because)
      })
    }
  }
}

interface Failure {
  because: string
  /** Another try may help. */
  isForNow: boolean
}

/** A redirect is not followed: it could lead anywhere. */
async function tryOnce(
  url: URL,
  { type, body }: PostedMessage,
  signal: AbortSignal,
  timeoutMs: number,
): Promise<Failure | null> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': type, 'user-agent': `ada-bulk/${version}` },
      body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    await answer.body?.cancel()
    const { ok, status } = answer
    return ok ? null : { because: `HTTP ${status}`, isForNow: status >= 500 || status === 429 }
  } catch (error) {
    return { because: causeOf(error), isForNow: !signal.aborted }
  }
}

/** Never the error's own message, which may repeat the address. */
function causeOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } }
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time'
  return typeof cause?.code === 'string' ? cause.code : 'cannot be reached'
}
