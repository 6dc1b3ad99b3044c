import type { Item, Outcome, PriorCalls } from '../item.js'
import type { Api, Operation, Verdict } from '../job.js'
import type { Clock } from '../system/clock.js'

export interface RetryPolicy {
  /** Calls for one item at most. Waiting out a 429 and probing during an outage are not counted. */
  attemptsMax: number
  clock: Clock
  /** From 0 to 1. */
  random: () => number
  stopSignal: AbortSignal
  abortSignal: AbortSignal
  /** Tells a bad item from an outage; without it every attempt counts. */
  health?: ApiHealth
}

/** What a session knows of the API. */
export interface ApiHealth {
  /** Calls that did not fail. */
  answered(): number
  /** Makes a harmless call. */
  isUp(stopSignal: AbortSignal, abortSignal: AbortSignal): Promise<boolean>
}

/** Records calls, so that a resumed run knows which answers were lost. */
export interface CallNotes {
  /** A call leaves now; `isRead`: it changes nothing, answered or not. */
  sent(item: Item, isRead: boolean): void
  /** It was answered, or never got there, and the item is not settled by it. */
  back(item: Item, outcome: Outcome, isRead: boolean): void
}

export interface Settlement {
  outcome: Outcome
  /** Calls made for the item in all. */
  attempts: number
}

/** The key does not work, for any item. */
export class KeyRefusedError extends Error {
  override readonly name = 'KeyRefusedError'
}

/** The API never lets through an item that is rate-limited this often. */
const rateLimitedMax = 20

const firstDelayMs = 500
const longestDelayMs = 30_000
/** Ada asks for at most one request a second to one resource. */
const shortestDelayMs = 1000

/**
 * Calls the operation until the item has an outcome. Retry is outside pacing: each attempt waits for a permit.
 * Throws KeyRefusedError, and the signals' reason when the run is stopped.
 */
export async function settleWithRetries(
  operation: Operation,
  api: Api,
  item: Item,
  earlier: PriorCalls,
  policy: RetryPolicy,
  notes: CallNotes,
): Promise<Settlement> {
  const { stopSignal, abortSignal } = policy
  let lost: Outcome | null = earlier.isAnswerLost ? lostBefore : null
  let failed = 0
  let answeredBefore = Number.POSITIVE_INFINITY
  let refusals = 0
  let attempts = earlier.calls
  for (;;) {
    const verdict = await operation.attempt(item, api, {
      earlierCalls: attempts,
      isAfterLostAnswer: lost !== null,
      leaves(isRead = false) {
        attempts += 1
        notes.sent(item, isRead)
      },
      stopSignal,
      abortSignal,
    })
    const isLost = verdict.kind === 'again' && (verdict.cause === 'lost' || verdict.cause === 'unconfirmed')
    if (verdict.kind !== 'settled' && !isLost) notes.back(item, verdict.outcome, verdict.isRead ?? false)
    switch (verdict.kind) {
      case 'settled':
        return { outcome: verdict.outcome, attempts }
      case 'refused':
        throw new KeyRefusedError(refusalOf(verdict.outcome))
      case 'rate_limited':
        refusals += 1
        if (refusals > rateLimitedMax) return { outcome: lost ?? verdict.outcome, attempts }
        await policy.clock.sleep(shortestDelayMs, stopSignal)
        break
      case 'again':
        if (isLost) lost = verdict.outcome
        failed += 1
        if (verdict.isProbe || failed >= policy.attemptsMax) {
          if (await isDown(verdict)) failed -= 1
          if (failed >= policy.attemptsMax) return { outcome: lastWord(verdict, lost), attempts }
        }
        answeredBefore = policy.health?.answered() ?? 0
        await policy.clock.sleep(retryDelayMs(failed, policy.random), stopSignal)
    }
  }

  /** Attempts count only while other calls, or a harmless one, are answered. */
  async function isDown({ isProbe = false }: { isProbe?: boolean }): Promise<boolean> {
    const { health } = policy
    if (health === undefined) return isProbe
    const isAnswered = !isProbe && health.answered() > answeredBefore
    return !isAnswered && !(await health.isUp(stopSignal, abortSignal))
  }
}

/** Exponential backoff with full jitter, on top of the second between two calls for one ID. */
export function retryDelayMs(attempt: number, random: () => number): number {
  return shortestDelayMs + random() * Math.min(longestDelayMs, firstDelayMs * 2 ** attempt)
}

const lostBefore: Outcome = {
  status: 'unknown',
  reason: 'connection_lost',
  httpStatus: null,
  message: 'the run stopped before the answer to an earlier call came',
}

/** An unreachable API says nothing about an earlier call whose answer was lost. */
function lastWord(verdict: Extract<Verdict, { kind: 'again' }>, lost: Outcome | null): Outcome {
  return verdict.cause === 'unreachable' && lost !== null ? lost : verdict.outcome
}

/** Why the run cannot go on when the API refuses the key. */
export function refusalOf(outcome: Outcome): string {
  return `the API refused the key (HTTP ${outcome.httpStatus}: ${outcome.message})`
}
