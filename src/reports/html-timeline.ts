/** Widths of a bucket, each a multiple of the one before. */
const widthsMs = [1, 5, 10, 30, 60, 300, 600, 1800, 3600, 21_600, 86_400].map((seconds) => seconds * 1000)

/** More than that are merged. */
const bucketsMax = 20_000

/** Counts what happened when, in buckets that grow where there would be too many of them. */
export class Timeline {
  readonly #columns: number
  #width = 0
  #buckets = new Map<number, Float64Array>()

  constructor(columns: number) {
    this.#columns = columns
  }

  get widthMs(): number {
    return widthsMs[this.#width]!
  }

  get isWidest(): boolean {
    return this.#width === widthsMs.length - 1
  }

  add(atMs: number, column: number): void {
    this.#bucket(this.keyOf(atMs))[column]! += 1
    if (this.#buckets.size > bucketsMax && !this.isWidest) this.widen()
  }

  /** Merges buckets into those of the next width. */
  widen(): void {
    const old = this.#buckets
    const times = widthsMs[++this.#width]! / widthsMs[this.#width - 1]!
    this.#buckets = new Map()
    for (const [key, counts] of old) {
      const merged = this.#bucket(Math.floor(key / times))
      for (const [column, count] of counts.entries()) merged[column]! += count
    }
  }

  /** The number of the bucket that holds a moment. */
  keyOf(atMs: number): number {
    return Math.floor(atMs / this.widthMs)
  }

  /** The numbers of the buckets that hold something, in order. */
  keys(): number[] {
    return [...this.#buckets.keys()].sort((a, b) => a - b)
  }

  count(key: number, column: number): number {
    return this.#buckets.get(key)?.[column] ?? 0
  }

  #bucket(key: number): Float64Array {
    let bucket = this.#buckets.get(key)
    if (bucket === undefined) {
      bucket = new Float64Array(this.#columns)
      this.#buckets.set(key, bucket)
    }
    return bucket
  }
}

/** Finds the most that happened in any span of `perMs`, of moments that come in order. */
export class BusiestSpan {
  readonly perMs: number
  count = 0
  #moments: number[] = []
  #first = 0

  constructor(perMs: number) {
    this.perMs = perMs
  }

  add(atMs: number): void {
    const moments = this.#moments
    moments.push(atMs)
    while (atMs - moments[this.#first]! >= this.perMs) this.#first += 1
    this.count = Math.max(this.count, moments.length - this.#first)
    if (this.#first < 4096 || this.#first < moments.length / 2) return
    this.#moments = moments.slice(this.#first)
    this.#first = 0
  }
}
