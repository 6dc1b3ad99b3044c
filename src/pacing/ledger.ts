import { createHash } from 'node:crypto'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { inTime } from '../system/text.js'

/**
 * A rate window is a number of slots, and a slot comes back one window after the answer.
 *
 * A call takes a slot in every window before it leaves and gives it back `perMs` after its answer (or its failure)
 * was seen. The server received the call before that answer, so no span of `perMs` holds more than `max` arrivals,
 * whatever the latency, the jitter or the kind of window that the server keeps.
 *
 * One ledger counts the calls to one instance of the API, for every process that uses the same store. Each caller
 * brings its own windows and asks whether they have room for one more among all calls on record.
 */
export interface Ledger {
  /**
   * Takes one slot in every window, or says how long it takes at least until one may be free. Never waits for that
   * itself. `holdMs` is the longest that the call may last: the slot of a process that died counts as answered then.
   * Rejects with `LedgerUnavailableError` while the store cannot be used.
   */
  take(windows: readonly RateWindow[], holdMs: number): Promise<Taken>
  /** The API asked for silence: no process gets a slot for this long. Never shortens an earlier block. */
  blockFor(ms: number): Promise<void>
  /** Closes files and connections. Slots that are taken stay on record. */
  close(): Promise<void>
}

export type Taken =
  | {
      slot: Slot
      /** Calls that count in each of the windows now, this one included. */
      onRecord: number[]
      /** Grows by one with every slot that any process takes in this ledger; it starts anywhere and may jump up. */
      taken: number
    }
  | {
      slot: null
      waitMs: number
      /** The full window that takes the longest to free a slot; null when the instance is blocked for now. */
      fullWindow: RateWindow | null
      /** The store is unavailable, or may not know all calls that were made. */
      isLedgerInDoubt?: true
    }

/** The right to make one call. */
export interface Slot {
  /** The answer (or the failure) was seen now: the slot comes back one window from now. */
  giveBack(): Promise<void>
  /** The call never left: the slot is free at once. */
  release(): Promise<void>
}

/** The ledger's store does not answer, or not as it should: no call may leave. It may come back. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError'
}

/** The ledger's store was unavailable for too long. */
export class LedgerLostError extends Error {
  override readonly name = 'LedgerLostError'
}

/** `https://acme.ada.support` → `acme.ada.support-1b4f0e98`: readable, and unique. */
export function instanceFolder(instance: string): string {
  const readable = instance.replace(/^\w+:\/\//, '').replaceAll(/[^a-zA-Z0-9.-]+/g, '-')
  return `${readable.slice(0, 60)}-${createHash('sha256').update(instance).digest('hex').slice(0, 8)}`
}

const unavailable: Taken = { slot: null, waitMs: 1000, fullWindow: null, isLedgerInDoubt: true }

/** The store was not asked for this long, so nothing is known of the time between. */
const longestPauseMs = 30_000

/** Gives no slot while the ledger's store is unavailable. Rejects with `LedgerLostError` after `timeoutMs` of that. */
export function withUnavailabilityTimeout(ledger: Ledger, clock: Clock, timeoutMs = 5 * 60_000): Ledger {
  let outage: { sinceMs: number; askedMs: number } | null = null
  return {
    ...ledger,
    async take(windows, holdMs) {
      const askedMs = clock.monotonicMs()
      if (outage && askedMs - outage.askedMs > longestPauseMs) outage = null
      try {
        const taken = await ledger.take(windows, holdMs)
        outage = null
        return taken
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError)) throw error
        const nowMs = clock.monotonicMs()
        outage = { sinceMs: outage?.sinceMs ?? askedMs, askedMs: nowMs }
        if (nowMs - outage.sinceMs < timeoutMs) return unavailable
        throw new LedgerLostError(
          `No calls were allowed for ${inTime(nowMs - outage.sinceMs)}. ${error.message}`,
        )
      }
    },
  }
}

/** Gives no slot while this process may have lost its lock, for example because it was frozen. */
export function whileHeld(ledger: Ledger, isHeld: () => boolean): Ledger {
  return {
    ...ledger,
    async take(windows, holdMs) {
      if (!isHeld()) return unavailable
      const taken = await ledger.take(windows, holdMs)
      if (!taken.slot || isHeld()) return taken
      await taken.slot.release()
      return unavailable
    },
  }
}
