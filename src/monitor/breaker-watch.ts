import type { RunView } from './progress.js'

/** An API that comes and goes all night is not news each time. */
const newsMax = 10

/**
 * Tells from looks at a run when the API has begun to fail for everybody. Between two probes it does not look like
 * that: the outage is over when, after the last look that saw it, a call has succeeded.
 */
export class BreakerWatch {
  #isOpen = false
  #succeeded = 0
  #openings = 0

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Takes a look; whether others should hear of it. */
  isNews({ waiting, tally, read }: Pick<RunView, 'waiting' | 'tally' | 'read'>): boolean {
    const isOutage = waiting.kind === 'outage'
    if (!isOutage && !this.#isOpen) return false
    const wasOpen = this.#isOpen
    const { succeeded } = tally.totals(read)
    this.#isOpen = isOutage || succeeded === this.#succeeded
    if (isOutage) this.#succeeded = succeeded
    if (wasOpen) return false
    this.#openings += 1
    return this.#openings <= newsMax
  }
}
