import { setTimeout as delay } from 'node:timers/promises'
import { version } from '../system/host.js'

/**
 * Posts something to an address that is a secret: nothing of it stands in what is thrown. Tries a few times, unless
 * the signal is aborted.
 */
export type Post = (url: URL, message: PostedMessage, signal: AbortSignal) => Promise<void>

export interface PostedMessage {
  type: string
  body: string
}

export interface Patience {
  /** For one try. */
  timeoutMs: number
  triesMax: number
  /** After the first try that failed, and twice that after the second. */
  pauseMs: number
}

export function openPost(patience: Patience = { timeoutMs: 5000, triesMax: 3, pauseMs: 500 }): Post {
  return async (url, message, signal) => {
    for (let tries = 1; ; tries++) {
      const trouble = await tryOnce(url, message, signal, patience.timeoutMs)
      if (trouble === null) return
      if (!trouble.isForNow || tries === patience.triesMax) throw new Error(trouble.because)
      await delay(patience.pauseMs * tries, undefined, { signal }).catch(() => {
        throw new Error(trouble.because)
      })
    }
  }
}

interface Trouble {
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
): Promise<Trouble | null> {
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
    return { because: wordsOf(error), isForNow: !signal.aborted }
  }
}

/** Never the error's own message, which may repeat the address. */
function wordsOf(error: unknown): string {
  const { name, cause } = error as { name?: string; cause?: { code?: unknown } }
  if (name === 'TimeoutError' || name === 'AbortError') return 'no answer in time'
  return typeof cause?.code === 'string' ? cause.code : 'cannot be reached'
}
