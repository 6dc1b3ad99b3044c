import type { Clock } from '../system/clock.js'

const spanMs = 60_000

/** How many there were in the last minute; exact to the second. */
export class RateMeter {
  readonly #clock: Clock
  readonly #startMs: number
  /** By second of the last minute: which second it is, and how many. */
  readonly #seconds = Array.from({ length: 60 }, () => ({ second: -1, times: 0 }))

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
  }

  add(): void {
    const second = this.#second()
    const slot = this.#seconds[second % 60]!
    if (slot.second === second) slot.times++
    else this.#seconds[second % 60] = { second, times: 1 }
  }

  lastMinute(): number {
    const now = this.#second()
    return this.#seconds.reduce((sum, { second, times }) => (second > now - 60 ? sum + times : sum), 0)
  }

  /** Before, the last minute says nothing about the next. */
  get isWarm(): boolean {
    return this.#clock.monotonicMs() - this.#startMs >= spanMs
  }

  #second(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#startMs) / 1000)
  }
}
