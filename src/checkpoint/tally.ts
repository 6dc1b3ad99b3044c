import type { Status } from '../item.js'

/** How many items came to what. `read` is the sum of the others, `left` what is not settled yet. */
export type Totals = { read: number } & Record<Status, number> & { left: number }

/** Counts settled items by status and by reason. */
export class Tally {
  readonly #byStatus: Record<Status, number> = {
    succeeded: 0,
    failed: 0,
    unknown: 0,
    invalid: 0,
    duplicate: 0,
    filtered: 0,
  }
  readonly #byReason = new Map<string, number>()

  add(status: Status, reason: string, times = 1): void {
    this.#byStatus[status] += times
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + times)
  }

  get settled(): number {
    return Object.values(this.#byStatus).reduce((sum, times) => sum + times, 0)
  }

  /** Items settled by calling the API. */
  get called(): number {
    return this.#byStatus.succeeded + this.failures
  }

  /** Items whose call did not succeed, or may not have. */
  get failures(): number {
    return this.#byStatus.failed + this.#byStatus.unknown
  }

  /** Whether some item needs a person to look at it: exit code 3. */
  get hasTrouble(): boolean {
    return this.failures + this.#byStatus.invalid > 0
  }

  totals(read: number): Totals {
    return { read, ...this.#byStatus, left: read - this.settled }
  }

  reasons(): Record<string, number> {
    return Object.fromEntries([...this.#byReason].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
