import { hash } from 'node:crypto'
import { closeSync, constants, fsyncSync, writeSync } from 'node:fs'
import { openNew, readRegular } from '../system/files.js'

/**
 * The IDs of an input as 52-bit hashes in a file, eight bytes each: enough to tell later how many IDs came and went
 * in a changed input, and never used for more than that number.
 */
export class IdHashWriter {
  readonly #file: number
  readonly #numbers = new Float64Array(8192)
  #filled = 0

  constructor(path: string) {
    this.#file = openNew(path, constants.O_TRUNC)
  }

  readonly add = (id: string): void => {
    this.#numbers[this.#filled++] = hash52(id)
    if (this.#filled === this.#numbers.length) this.#flush()
  }

  close(): void {
    this.#flush()
    fsyncSync(this.#file)
    closeSync(this.#file)
  }

  #flush(): void {
    const bytes = new Uint8Array(this.#numbers.buffer, 0, this.#filled * 8)
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#file, bytes, done)
    this.#filled = 0
  }
}

/** Compares IDs with those of a file that IdHashWriter wrote. */
export class IdDifference {
  readonly #old: Float64Array
  #common = 0
  #new = 0

  constructor(path: string) {
    const bytes = readRegular(path)
    const whole = bytes.length - (bytes.length % 8)
    this.#old = new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + whole)).sort()
  }

  readonly add = (id: string): void => {
    if (this.#wasThere(hash52(id))) this.#common += 1
    else this.#new += 1
  }

  get added(): number {
    return this.#new
  }

  get gone(): number {
    return this.#old.length - this.#common
  }

  #wasThere(wanted: number): boolean {
    let low = 0
    let high = this.#old.length - 1
    while (low <= high) {
      const middle = (low + high) >>> 1
      const found = this.#old[middle]!
      if (found === wanted) return true
      if (found < wanted) low = middle + 1
      else high = middle - 1
    }
    return false
  }
}

function hash52(id: string): number {
  return Number.parseInt(hash('sha1', id).slice(0, 13), 16)
}
