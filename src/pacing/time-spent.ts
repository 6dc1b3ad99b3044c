import type { Clock } from '../system/clock.js'

/** Where the time goes: at every moment one thing is what all wait for, or nothing is and calls are made. */
export class TimeSpent {
  readonly #clock: Clock
  #ms: Record<string, number> = {}
  #now = 'calling'
  #sinceMs: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#sinceMs = clock.monotonicMs()
  }

  /** From now on it is this that takes the time. */
  on(what: string): void {
    this.#count()
    this.#now = what
  }

  /** Milliseconds by what took them, since the last time they were taken. */
  take(): Record<string, number> {
    this.#count()
    const rounded = Object.entries(this.#ms).map(([what, ms]) => [what, Math.round(ms)] as const)
    this.#ms = {}
    return Object.fromEntries(rounded.filter(([, ms]) => ms > 0))
  }

  #count(): void {
    const nowMs = this.#clock.monotonicMs()
    this.#ms[this.#now] = (this.#ms[this.#now] ?? 0) + nowMs - this.#sinceMs
    this.#sinceMs = nowMs
  }
}
