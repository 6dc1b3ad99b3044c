import { setMaxListeners } from 'node:events'

/** Why a run stops before its end: one sentence for people, and the exit code. */
export interface StopReason {
  exitCode: 4 | 75 | 129 | 130 | 143
  because: string
  /** Items in progress are finished, waits included; no new item begins. */
  finishesItems?: boolean
}

/** The request to stop, seen by everything that waits. The first reason counts, unless a stricter one follows. */
export class Stop {
  readonly #gently = new AbortController()
  readonly #atOnce = new AbortController()
  #reason: StopReason | null = null

  /** Aborted when waits shall end; calls in flight continue. */
  readonly signal = this.#gently.signal
  /** Aborted when calls in flight shall end too; their items stay unsettled. */
  readonly abortSignal = this.#atOnce.signal

  constructor() {
    // Every call and every wait listens, and there are as many as calls in flight.
    setMaxListeners(0, this.signal, this.abortSignal)
  }

  get reason(): StopReason | null {
    return this.#reason
  }

  request(reason: StopReason): void {
    if (this.#reason === null || (this.#reason.finishesItems && !reason.finishesItems)) this.#reason = reason
    if (!reason.finishesItems) this.#gently.abort(new Stopped())
  }

  /** Ends the calls in flight as well. */
  abortCalls(): void {
    this.#atOnce.abort(new Stopped())
  }
}

/** Thrown out of a wait when the run is asked to stop. The item stays unsettled. */
export class Stopped extends Error {
  override readonly name = 'Stopped'
}
