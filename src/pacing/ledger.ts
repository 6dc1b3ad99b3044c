import type { RateWindow } from '../settings/limits.js'

/**
 * The promise of a ledger: a window is a number of places, and a place comes back one window after the answer.
 *
 * A call takes a place in every window before it leaves and gives it back `perMs` after its answer (or its
 * failure) was seen. The server received the call before that answer, so no span of `perMs` holds more than
 * `max` arrivals, whatever the latency, the jitter or the kind of window that the server keeps.
 *
 * One ledger stands for one instance of the API; everybody who calls that instance through the same store
 * counts everybody's calls. The windows are the caller's: each asks whether its own windows have room for one
 * more among all calls on record.
 */
export interface Ledger {
  /**
   * Takes one place in every window, or says how long it takes at least until one may be free. Never waits for
   * that itself. `holdMs` is the longest that the call may last: a place whose holder died counts as answered
   * then. Rejects with `LedgerUnavailableError` while the store of the ledger is out of order.
   */
  take(windows: readonly RateWindow[], holdMs: number): Promise<Taken>
  /** Nobody may take a place for this long from now on, whoever asks: the API has asked for silence. Only lengthens. */
  closeFor(ms: number): Promise<void>
  /** Lets go of files and connections. Places taken stay on record. */
  close(): Promise<void>
}

export type Taken =
  | {
      place: Place
      /** Calls that count in each of the windows now, this one included. */
      onRecord: number[]
      /** Grows by one with every place that anybody takes in this ledger; it may start anywhere and jump up. */
      taken: number
    }
  | {
      place: null
      waitMs: number
      /** The window without room that needs the longest; null when the instance is closed for now. */
      fullWindow: RateWindow | null
      /** The ledger itself is why: it is away, or does not know all calls that were made. */
      isLedgerInDoubt?: true
    }

/** The store of the ledger does not answer, or not as it should: no call may leave. It may come back. */
export class LedgerUnavailableError extends Error {
  override readonly name = 'LedgerUnavailableError'
}

/** The store of the ledger was unavailable for too long. */
export class LedgerLostError extends Error {
  override readonly name = 'LedgerLostError'
}

/** The right to make one call. */
export interface Place {
  /** The answer (or the failure) was seen now: the place comes back one window from now. */
  giveBack(): Promise<void>
  /** The call never left: the place is free at once. */
  release(): Promise<void>
}
