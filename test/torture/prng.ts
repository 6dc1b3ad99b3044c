import { seededRandom } from '../pacing/seeded-random.js'

/** Choices that come out the same for the same seed. */
export interface Prng {
  /** From 0 to 1. */
  roll(): number
  /** True so often, from 0 to 1. */
  often(part: number): boolean
  /** A whole number from `min` to `max`. */
  between(min: number, max: number): number
  one<T>(of: readonly T[]): T
}

export function prngOf(seed: number): Prng {
  // Neighbouring seeds give numbers that are alike at first.
  const roll = seededRandom(Math.imul(seed + 1, 0x9e3779b1))
  const between = (min: number, max: number) => min + Math.floor(roll() * (max - min + 1))
  return {
    roll,
    often: (part) => roll() < part,
    between,
    one: (of) => of[between(0, of.length - 1)]!,
  }
}
