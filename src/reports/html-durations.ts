/** Edges of the histogram's bars: 1, 2, 5, 10, 20, 50, … milliseconds. */
const edges = [1, 2, 5].flatMap((digit) => Array.from({ length: 8 }, (_, power) => digit * 10 ** power))
edges.sort((a, b) => a - b)

export interface Bar {
  fromMs: number
  toMs: number
  times: number
}

/** Counts how long things took, to three digits, which bounds the memory: 900 numbers for each power of ten. */
export class Durations {
  readonly #times = new Map<number, number>()
  #sorted: [number, number][] | null = null
  count = 0
  maxMs = 0

  add(ms: number): void {
    const kept = toThreeDigits(ms)
    this.#times.set(kept, (this.#times.get(kept) ?? 0) + 1)
    this.#sorted = null
    this.count += 1
    if (ms > this.maxMs) this.maxMs = ms
  }

  /** The least duration that so many per cent did not exceed. */
  percentileMs(percent: number): number {
    let left = Math.max(1, Math.ceil((this.count * percent) / 100))
    for (const [ms, times] of this.#inOrder()) {
      left -= times
      if (left <= 0) return ms
    }
    return 0
  }

  /** From the first bar with something in it to the last. */
  bars(): Bar[] {
    const bars = edges.map((toMs, index) => ({ fromMs: edges[index - 1] ?? 0, toMs, times: 0 }))
    for (const [ms, times] of this.#inOrder()) {
      const bar = bars.find(({ toMs }) => ms < toMs) ?? bars.at(-1)!
      bar.times += times
    }
    const first = bars.findIndex(({ times }) => times > 0)
    const last = bars.findLastIndex(({ times }) => times > 0)
    return first === -1 ? [] : bars.slice(first, last + 1)
  }

  #inOrder(): [number, number][] {
    this.#sorted ??= [...this.#times].sort(([a], [b]) => a - b)
    return this.#sorted
  }
}

function toThreeDigits(ms: number): number {
  if (ms < 1000) return Math.round(ms)
  const unit = 10 ** (Math.floor(Math.log10(ms)) - 2)
  return Math.floor(ms / unit) * unit
}
