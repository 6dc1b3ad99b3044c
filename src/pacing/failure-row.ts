/** So many different items in a row have to fail before the API counts as down: a few bad ones must not do it. */
const itemsMin = 20

/** Between two failures no more counts than this: when nothing was called for hours, the API did not fail for hours. */
const gapMsMax = 120_000

/** The failures since the last call that the API answered. */
export class FailureRow {
  readonly #items = new Set<number | string>()
  #lastMs: number | null = null
  #lastedMs = 0

  add(itemKey: number | string, nowMs: number): void {
    this.#lastedMs += Math.min(gapMsMax, nowMs - (this.#lastMs ?? nowMs))
    this.#lastMs = nowMs
    if (this.#items.size < itemsMin) this.#items.add(itemKey)
  }

  get isForEverybody(): boolean {
    return this.#items.size >= itemsMin
  }

  /** From the first failure to the last. */
  get lastedMs(): number {
    return this.#lastedMs
  }

  clear(): void {
    this.#items.clear()
    this.#lastMs = null
    this.#lastedMs = 0
  }
}
