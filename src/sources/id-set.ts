import { randomFillSync } from 'node:crypto'

/**
 * Remembers tens of millions of IDs at about 30 bytes each, by 128-bit fingerprints. Two of ten million IDs share
 * one with a probability of 1.5e-25. The key is random, so that no IDs can be made that do.
 */
export class IdSet {
  size = 0
  private readonly segments = Array.from({ length: segmentCount }, () => new Segment())
  private readonly key: Uint32Array

  constructor(key = randomFillSync(new Uint32Array(4))) {
    this.key = key
  }

  /** False if it was there. */
  add(id: string): boolean {
    fingerprint(id, this.key, print)
    const isNew = this.segments[print[3]! % segmentCount]!.add(print)
    if (isNew) this.size++
    return isNew
  }

  has(id: string): boolean {
    fingerprint(id, this.key, print)
    return this.segments[print[3]! % segmentCount]!.placeOf(print) !== null
  }

  /** A small number that no other ID has, for as long as none is added; null if it is not there. */
  placeOf(id: string): number | null {
    fingerprint(id, this.key, print)
    const segment = print[3]! % segmentCount
    const place = this.segments[segment]!.placeOf(print)
    return place === null ? null : place * segmentCount + segment
  }
}

/** Each grows by itself, so that growing never needs twice the memory of the whole, nor one huge block. */
const segmentCount = 256
/** A slot of zeros is empty: a fingerprint of zeros is as unlikely as two that are the same. */
const wordsPerSlot = 4
const loadMax = 0.7
const growth = 1.5
/** The fingerprint under way: one for all, as making an array for each ID takes longer than the fingerprint. */
const print = new Uint32Array(wordsPerSlot)

/** Fingerprints in a table with open addressing. */
class Segment {
  private slotCount = 16
  private words = new Uint32Array(this.slotCount * wordsPerSlot)
  private used = 0

  placeOf(wanted: Uint32Array): number | null {
    const at = this.find(wanted[0]!, wanted[1]!, wanted[2]!, wanted[3]!)
    return this.isTaken(at) ? at / wordsPerSlot : null
  }

  add(added: Uint32Array): boolean {
    const isNew = this.put(added[0]!, added[1]!, added[2]!, added[3]!)
    if (isNew && ++this.used > this.slotCount * loadMax) this.grow()
    return isNew
  }

  private put(w0: number, w1: number, w2: number, w3: number): boolean {
    const at = this.find(w0, w1, w2, w3)
    if (this.isTaken(at)) return false
    const { words } = this
    words[at] = w0
    words[at + 1] = w1
    words[at + 2] = w2
    words[at + 3] = w3
    return true
  }

  /** Where it is or has its place. */
  private find(w0: number, w1: number, w2: number, w3: number): number {
    const { words } = this
    let at = Math.floor((w0 / 2 ** 32) * this.slotCount) * wordsPerSlot
    while (
      this.isTaken(at) &&
      (words[at] !== w0 || words[at + 1] !== w1 || words[at + 2] !== w2 || words[at + 3] !== w3)
    ) {
      at += wordsPerSlot
      if (at === words.length) at = 0
    }
    return at
  }

  private isTaken(at: number): boolean {
    const { words } = this
    return (words[at]! | words[at + 1]! | words[at + 2]! | words[at + 3]!) !== 0
  }

  private grow(): void {
    const old = this.words
    this.slotCount = Math.ceil(this.slotCount * growth)
    this.words = new Uint32Array(this.slotCount * wordsPerSlot)
    for (let at = 0; at < old.length; at += wordsPerSlot) {
      const [w0, w1, w2, w3] = [old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!]
      if ((w0 | w1 | w2 | w3) !== 0) this.put(w0, w1, w2, w3)
    }
  }
}

/**
 * A keyed hash in the manner of Chaskey: blocks of eight UTF-16 code units go through a permutation of four words.
 * The length comes first, so that no ID is the beginning of another.
 */
function fingerprint(id: string, key: Uint32Array, into: Uint32Array): void {
  let v0 = key[0]! ^ id.length
  let v1 = key[1]!
  let v2 = key[2]!
  let v3 = key[3]!
  for (let at = -8; at < id.length; at += 8) {
    if (at >= 0) {
      // Beyond the end the code unit is NaN, and counts as zero.
      v0 ^= id.charCodeAt(at) | (id.charCodeAt(at + 1) << 16)
      v1 ^= id.charCodeAt(at + 2) | (id.charCodeAt(at + 3) << 16)
      v2 ^= id.charCodeAt(at + 4) | (id.charCodeAt(at + 5) << 16)
      v3 ^= id.charCodeAt(at + 6) | (id.charCodeAt(at + 7) << 16)
    }
    for (let round = 0; round < 8; round++) {
      v0 = (v0 + v1) | 0
      v1 = ((v1 << 5) | (v1 >>> 27)) ^ v0
      v0 = (v0 << 16) | (v0 >>> 16)
      v2 = (v2 + v3) | 0
      v3 = ((v3 << 8) | (v3 >>> 24)) ^ v2
      v0 = (v0 + v3) | 0
      v3 = ((v3 << 13) | (v3 >>> 19)) ^ v0
      v2 = (v2 + v1) | 0
      v1 = ((v1 << 7) | (v1 >>> 25)) ^ v2
      v2 = (v2 << 16) | (v2 >>> 16)
    }
  }
  into[0] = v0 ^ key[0]!
  into[1] = v1 ^ key[1]!
  into[2] = v2 ^ key[2]!
  into[3] = v3 ^ key[3]!
}
