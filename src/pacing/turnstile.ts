/** Lets one through at a time, in the order in which they came. */
export class Turnstile {
  readonly #waiting = new Set<() => void>()
  #isBusy = false

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** Rejects with the signal's reason when that is aborted, whether it waits or is at work. */
  async pass<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    signal.throwIfAborted()
    if (this.#isBusy) await this.#turn(signal)
    this.#isBusy = true
    try {
      return await work()
    } finally {
      const [next] = this.#waiting
      if (next) next()
      else this.#isBusy = false
    }
  }

  /** The turn is handed over: the turnstile stays busy, so nobody slips in between. */
  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', giveUp)
        this.#waiting.delete(enter)
      }
      const enter = () => {
        leave()
        resolve()
      }
      const giveUp = () => {
        leave()
        reject(signal.reason)
      }
      this.#waiting.add(enter)
      signal.addEventListener('abort', giveUp, { once: true })
    })
  }
}
