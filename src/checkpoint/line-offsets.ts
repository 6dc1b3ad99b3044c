const pieceItems = 1024

/** Where in a checkpoint the line of each settled item begins, by ordinal. Eight bytes an item. */
export class LineOffsets {
  /** Pieces, so that growing never copies, and a number that somebody made up costs little. In them an offset counts from 1, and 0 is none. */
  readonly #pieces = new Map<number, Float64Array>()
  /** One more than the largest ordinal. */
  length = 0

  set(ordinal: number, offset: number): void {
    const index = Math.floor(ordinal / pieceItems)
    let piece = this.#pieces.get(index)
    if (piece === undefined) {
      piece = new Float64Array(pieceItems)
      this.#pieces.set(index, piece)
    }
    piece[ordinal % pieceItems] = offset + 1
    if (ordinal >= this.length) this.length = ordinal + 1
  }

  clear(): void {
    this.#pieces.clear()
    this.length = 0
  }

  /** In the order of the input. */
  *inOrder(): Generator<number> {
    for (let index = 0; index * pieceItems < this.length; index++) {
      for (const place of this.#pieces.get(index) ?? []) if (place > 0) yield place - 1
    }
  }
}
