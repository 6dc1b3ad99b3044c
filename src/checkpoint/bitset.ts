/** A set of whole numbers from 0 on that costs one bit for each number up to the largest. */
export class Bitset {
  #words = new Uint32Array(1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  add(number: number): boolean {
    const word = Math.floor(number / 32)
    if (word >= this.#words.length) this.#grow(word)
    const bit = 1 << (number % 32)
    if ((this.#words[word]! & bit) !== 0) return false
    this.#words[word]! |= bit
    this.#size += 1
    return true
  }

  has(number: number): boolean {
    return ((this.#words[Math.floor(number / 32)] ?? 0) & (1 << (number % 32))) !== 0
  }

  clear(): void {
    this.#words.fill(0)
    this.#size = 0
  }

  #grow(word: number): void {
    const larger = new Uint32Array(Math.max(this.#words.length * 2, word + 1))
    larger.set(this.#words)
    this.#words = larger
  }
}
