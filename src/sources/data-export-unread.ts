const newline = 0x0a

/** The bytes of a file that are not taken yet, and where in the file they are. */
export class Unread {
  bytes: Buffer = Buffer.alloc(0)
  /** Where in the bytes the next thing begins; its line in the file, from 1. */
  at = 0
  line = 1
  isAll = false
  #positionOfBytes = 0
  /** The next line end. Looked up once, or a page without any would be searched through for each record. */
  #newline = -1
  #waiting: Buffer[] = []
  #waitingLength = 0

  /** The place of the next thing in the file, from 0. */
  get position(): number {
    return this.#positionOfBytes + this.at
  }

  get length(): number {
    return this.bytes.length - this.at
  }

  /** Where the line ends, if the bytes reach that far. */
  get lineEnd(): number | undefined {
    return this.#newline < 0 ? undefined : this.#newline
  }

  /** Whether it is worth another look: what is longer than the pieces gets one when it has doubled. */
  add(piece: Buffer): boolean {
    this.#waiting.push(piece)
    this.#waitingLength += piece.length
    if (this.#waitingLength < this.length) return false
    this.#join()
    return true
  }

  end(): void {
    this.#join()
    this.isAll = true
  }

  skipTo(at: number): void {
    this.at = at
    while (this.#newline >= 0 && this.#newline < at) {
      this.line++
      this.#newline = this.bytes.indexOf(newline, this.#newline + 1)
    }
  }

  #join(): void {
    this.#positionOfBytes += this.at
    this.bytes = Buffer.concat([this.bytes.subarray(this.at), ...this.#waiting])
    this.at = 0
    this.#newline = this.bytes.indexOf(newline)
    this.#waiting = []
    this.#waitingLength = 0
  }
}
