import type { Clock } from '../system/clock.js'
import { inTime } from '../system/text.js'
import { type Ledger, LedgerLostError, LedgerUnavailableError, type Taken } from './ledger.js'

/** How soon to ask again. */
const waitMs = 1000
const notNow: Taken = { place: null, waitMs, fullWindow: null, isLedgerInDoubt: true }

/** The ledger, with no place while its store is out of order. Rejects with `LedgerLostError` after `timeoutMs` of that. */
export function patient(ledger: Ledger, clock: Clock, timeoutMs = 5 * 60_000): Ledger {
  let away: { sinceMs: number; askedMs: number } | null = null
  return {
    async take(windows, holdMs) {
      const askedMs = clock.monotonicMs()
      // Where nobody has asked for a while, nobody knows that it was away all that time.
      if (away && askedMs - away.askedMs > longestPauseMs) away = null
      try {
        const taken = await ledger.take(windows, holdMs)
        away = null
        return taken
      } catch (error) {
        if (!(error instanceof LedgerUnavailableError)) throw error
        const nowMs = clock.monotonicMs()
        away = { sinceMs: away?.sinceMs ?? askedMs, askedMs: nowMs }
        if (nowMs - away.sinceMs < timeoutMs) return notNow
        throw new LedgerLostError(`No places to call for ${inTime(nowMs - away.sinceMs)}. ${error.message}`)
      }
    },
    closeFor: (ms) => ledger.closeFor(ms),
    close: () => ledger.close(),
  }
}

const longestPauseMs = 30_000

/** The ledger, with no place while it is not certain that this process holds its lock: it may have stood still. */
export function whileHeld(ledger: Ledger, isHeld: () => boolean): Ledger {
  return {
    async take(windows, holdMs) {
      if (!isHeld()) return notNow
      const taken = await ledger.take(windows, holdMs)
      if (!taken.place || isHeld()) return taken
      await taken.place.release()
      return notNow
    },
    closeFor: (ms) => ledger.closeFor(ms),
    close: () => ledger.close(),
  }
}
