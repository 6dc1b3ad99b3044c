import type { Clock } from '../../src/system/clock.js'
import { EventLoop } from './event-loop.js'

/** Somebody who waits for a time. */
interface Sleeper {
  atMs: number
  /** On the caller's host, which may stand still. */
  isOfClient: boolean
  wake: () => void
}

/** What is looked at again and again, such as whether somebody outside wants something. */
interface Ticker {
  nextAtMs: number
  everyMs: number
  /** Nothing has happened since it was looked at last: it would find what it found then. */
  isIdle: boolean
  tick: () => void
}

const longestMs = 3 * 86_400_000
/** Since their hosts have started. */
const uptimeMs = 1_000_000
const startedAtMs = Date.UTC(2026, 10, 20, 12)

/**
 * The time of the caller's host and of the server: one line of events, so that neither can act in the other's past.
 * It goes on to the next event when nothing is left to do at this one.
 */
export class SimulatedTime {
  readonly client: Clock = this.#clockOf(true)
  readonly server: Clock = this.#clockOf(false)
  readonly loop: EventLoop
  #nowMs = 0
  #sleepers = new Set<Sleeper>()
  #tickers = new Set<Ticker>()
  #frozenUntilMs = 0
  #wallIsOffMs = 0

  /** `roll` chooses the order of what ends at the same time, from 0 to 1. */
  constructor(roll: () => number) {
    this.loop = new EventLoop(roll, this)
  }

  get nowMs(): number {
    return this.#nowMs
  }

  /** Somebody sets the clock on the client's wall. */
  jumpWall(ms: number): void {
    this.#wallIsOffMs += ms
  }

  /** The client stands still, the server does not. */
  freeze(ms: number): void {
    this.#frozenUntilMs = Math.max(this.#frozenUntilMs, this.#nowMs + ms)
  }

  /** On the server, or with the people who do something to a run. Returns how to forget it. */
  plan(inMs: number, happen: () => void): () => void {
    return this.#wakeIn(inMs, false, happen)
  }

  /** In the client's process, as its timers are. Returns how to forget it. */
  planForClient(inMs: number, happen: () => void): () => void {
    return this.#wakeIn(inMs, true, happen)
  }

  /** In the client's process. Returns how to end it. */
  every(ms: number, tick: () => void): () => void {
    const ticker = { nextAtMs: this.#nowMs + ms, everyMs: ms, isIdle: false, tick }
    this.#tickers.add(ticker)
    return () => void this.#tickers.delete(ticker)
  }

  /** Resolves when the client's process can take in what comes to it. */
  async awake(): Promise<void> {
    if (this.#nowMs < this.#frozenUntilMs) await this.client.sleep(0)
  }

  async pass(ms: number): Promise<void> {
    const endMs = this.#nowMs + ms
    await this.loop.quiet()
    while (this.#nextMs() <= endMs) await this.#step()
    this.#nowMs = endMs
  }

  /** Lets time pass until the work of the client is done, and its process ends. Throws when it never will be. */
  async until(work: Promise<unknown>): Promise<void> {
    let isDone = false
    const done = () => {
      isDone = true
    }
    work.then(done, done)
    const deadlineMs = this.#nowMs + longestMs
    await this.loop.quiet()
    while (!isDone) {
      const nextMs = this.#nextMs()
      if (nextMs > deadlineMs) throw new Hang(nextMs < Number.POSITIVE_INFINITY)
      await this.#step()
    }
    this.#tickers.clear()
    for (const sleeper of this.#sleepers) if (sleeper.isOfClient) this.#sleepers.delete(sleeper)
  }

  #clockOf(isOfClient: boolean): Clock {
    return {
      monotonicMs: () => uptimeMs + this.#nowMs,
      wallMs: () => startedAtMs + this.#nowMs + (isOfClient ? this.#wallIsOffMs : 0),
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          if (signal?.aborted) return reject(signal.reason)
          const giveUp = () => {
            forget()
            reject(signal!.reason)
          }
          const forget = this.#wakeIn(ms, isOfClient, () => {
            signal?.removeEventListener('abort', giveUp)
            resolve()
          })
          signal?.addEventListener('abort', giveUp, { once: true })
        }),
    }
  }

  #wakeIn(ms: number, isOfClient: boolean, wake: () => void): () => void {
    const sleeper = { atMs: this.#nowMs + Math.max(0, ms), isOfClient, wake }
    this.#sleepers.add(sleeper)
    return () => void this.#sleepers.delete(sleeper)
  }

  #dueMs({ atMs, isOfClient }: Sleeper): number {
    return isOfClient ? Math.max(atMs, this.#frozenUntilMs) : atMs
  }

  #nextSleeper(): Sleeper | null {
    let next: Sleeper | null = null
    let nextMs = Number.POSITIVE_INFINITY
    for (const sleeper of this.#sleepers) {
      const dueMs = this.#dueMs(sleeper)
      if (dueMs >= nextMs) continue
      next = sleeper
      nextMs = dueMs
    }
    return next
  }

  #nextTicker(): Ticker | null {
    let next: Ticker | null = null
    for (const ticker of this.#tickers) {
      if (!ticker.isIdle && (next === null || ticker.nextAtMs < next.nextAtMs)) next = ticker
    }
    return next
  }

  /** Infinity: nobody waits for any time. */
  #nextMs(): number {
    const sleeper = this.#nextSleeper()
    const ticker = this.#nextTicker()
    return Math.min(
      sleeper === null ? Number.POSITIVE_INFINITY : this.#dueMs(sleeper),
      ticker === null ? Number.POSITIVE_INFINITY : Math.max(ticker.nextAtMs, this.#frozenUntilMs),
    )
  }

  async #step(): Promise<void> {
    const atMs = this.#nextMs()
    const sleeper = this.#nextSleeper()
    this.#nowMs = Math.max(this.#nowMs, atMs)
    if (sleeper !== null && this.#dueMs(sleeper) <= atMs) {
      this.#sleepers.delete(sleeper)
      sleeper.wake()
      for (const ticker of this.#tickers) this.#expect(ticker)
    } else this.#tick(this.#nextTicker()!)
    await this.loop.quiet()
  }

  #tick(ticker: Ticker): void {
    ticker.nextAtMs += ticker.everyMs
    ticker.isIdle = true
    ticker.tick()
  }

  /** Something has happened, which the next tick may see. */
  #expect(ticker: Ticker): void {
    if (!ticker.isIdle) return
    ticker.isIdle = false
    const behindMs = Math.max(0, this.#nowMs - ticker.nextAtMs)
    ticker.nextAtMs += Math.ceil(behindMs / ticker.everyMs) * ticker.everyMs
  }
}

/** The run waits for nothing and does not end, or does not end in days. */
export class Hang extends Error {
  constructor(isForDays: boolean) {
    super(isForDays ? 'the run does not end' : 'the run waits for nothing')
  }
}
