import type { RateWindow } from './rate-window.js'

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
   * then.
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
      /** Calls that count in each window now, in the order of the windows, this one included. */
      onRecord: number[]
      /** Grows by one with every place that anybody takes, and now and then by more; so two of them tell how many were taken between. */
      taken: number
    }
  /** `fullWindow` is the window without room that needs the longest; null when the instance is closed for now. */
  | { place: null; waitMs: number; fullWindow: RateWindow | null }

/** The right to make one call. */
export interface Place {
  /** The answer (or the failure) was seen now: the place comes back one window from now. */
  giveBack(): Promise<void>
  /** The call never left: the place is free at once. */
  release(): Promise<void>
}
