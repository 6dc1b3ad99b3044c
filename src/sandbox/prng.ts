/** Gives numbers from 0 up to 1, one after the other. */
export type Prng = () => number

/**
 * Randomness that can be repeated: the same key gives the same numbers (mulberry32). Keyed by call instead of drawn in
 * the order of arrival, so that the same run meets the same faults however its calls interleave.
 */
export function prngOf(key: string): Prng {
  let state = fnv1a(key)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Digits for an ID. */
export function hexDigits(random: Prng, count: number): string {
  let digits = ''
  while (digits.length < count) {
    digits += Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, '0')
  }
  return digits.slice(0, count)
}

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return hash
}
