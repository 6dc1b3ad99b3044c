/** A moment, and the ID that decides between things of the same moment. */
export interface Position {
  atMs: number
  id: string
}

/** Things in the order of a moment of theirs, then of their ID. Put in order only when somebody looks. */
export class Timeline<T extends { readonly id: string }> {
  private readonly things: T[] = []
  private isInOrder = true

  constructor(private readonly momentMs: (thing: T) => number) {}

  add(thing: T): void {
    this.things.push(thing)
    this.isInOrder = false
  }

  /** To be called when the moment of a thing has changed. */
  moved(): void {
    this.isInOrder = false
  }

  positionOf(thing: T): Position {
    return { atMs: this.momentMs(thing), id: thing.id }
  }

  /** At most `countMax` things, from a position on and before a moment, and whether there are more. */
  slice(from: Position, toMs: number, countMax: number): { things: T[]; hasMore: boolean } {
    this.putInOrder()
    const start = this.indexOf(from)
    const stop = Math.max(start, this.indexOf({ atMs: toMs, id: '' }))
    const end = Math.min(stop, start + countMax)
    return { things: this.things.slice(start, end), hasMore: end < stop }
  }

  private putInOrder(): void {
    if (this.isInOrder) return
    this.things.sort((one, other) => this.compare(one, this.momentMs(other), other.id))
    this.isInOrder = true
  }

  /** Of the first thing at the position or after it. */
  private indexOf({ atMs, id }: Position): number {
    let low = 0
    let high = this.things.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.compare(this.things[middle]!, atMs, id) < 0) low = middle + 1
      else high = middle
    }
    return low
  }

  private compare(thing: T, atMs: number, id: string): number {
    const differenceMs = this.momentMs(thing) - atMs
    if (differenceMs !== 0) return differenceMs
    if (thing.id === id) return 0
    return thing.id < id ? -1 : 1
  }
}
