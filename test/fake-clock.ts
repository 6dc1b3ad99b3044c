import type { Clock } from '../src/system/clock.js'

interface Sleeper {
  atMs: number
  wake: () => void
}

/** Time that passes only when a test says so. Sleepers wake in order, each with what follows from it done. */
export class FakeClock implements Clock {
  readonly #sleepers = new Set<Sleeper>()
  #monotonicMs: number
  #wallMs: number

  /** `settle` resolves when everything that can go on without time has gone on. */
  constructor(
    readonly settle: () => Promise<void> = immediates,
    { monotonicMs = 1_000_000, wallMs = Date.UTC(2026, 10, 20, 12) } = {},
  ) {
    this.#monotonicMs = monotonicMs
    this.#wallMs = wallMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason)
      const done = () => {
        this.#sleepers.delete(sleeper)
        signal?.removeEventListener('abort', giveUp)
      }
      const giveUp = () => {
        done()
        reject(signal?.reason)
      }
      const wake = () => {
        done()
        resolve()
      }
      const sleeper = { atMs: this.#monotonicMs + Math.max(0, ms), wake }
      this.#sleepers.add(sleeper)
      signal?.addEventListener('abort', giveUp, { once: true })
    })
  }

  get sleepers(): number {
    return this.#sleepers.size
  }

  /** When the next sleeper wakes, from now; null without a sleeper. */
  get nextMs(): number | null {
    const next = this.#next()
    return next ? next.atMs - this.#monotonicMs : null
  }

  async advance(ms: number): Promise<void> {
    const endMs = this.#monotonicMs + ms
    await this.settle()
    for (let next = this.#next(); next && next.atMs <= endMs; next = this.#next()) {
      // After a freeze they are late, and time does not go back.
      this.#moveTo(Math.max(next.atMs, this.#monotonicMs))
      next.wake()
      await this.settle()
    }
    this.#moveTo(endMs)
    await this.settle()
  }

  /** Time passes while this process is frozen: no sleeper wakes. */
  freeze(ms: number): void {
    this.#moveTo(this.#monotonicMs + ms)
  }

  /** Somebody sets the clock on the wall. */
  jumpWall(ms: number): void {
    this.#wallMs += ms
  }

  #moveTo(atMs: number): void {
    this.#wallMs += atMs - this.#monotonicMs
    this.#monotonicMs = atMs
  }

  #next(): Sleeper | undefined {
    let next: Sleeper | undefined
    for (const sleeper of this.#sleepers) {
      if (!next || sleeper.atMs < next.atMs) next = sleeper
    }
    return next
  }
}

async function immediates(): Promise<void> {
  for (let round = 0; round < 3; round++) await new Promise((resolve) => setImmediate(resolve))
}
