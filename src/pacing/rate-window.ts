/** At most `max` calls in any span of `perMs` milliseconds, as the server sees it. */
export interface RateWindow {
  max: number
  perMs: number
}
