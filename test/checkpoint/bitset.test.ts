import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Bitset } from '../../src/checkpoint/bitset.js'

test('it agrees with a Set', () => {
  const number = fc.oneof(fc.nat(200), fc.nat(2_000_000), fc.constantFrom(0, 31, 32, 63, 32_767, 32_768))
  const step = fc.oneof(
    { weight: 20, arbitrary: number },
    { weight: 1, arbitrary: fc.constant('clear' as const) },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const ours = new Bitset()
      const set = new Set<number>()
      for (const one of steps) {
        if (one === 'clear') {
          ours.clear()
          set.clear()
        } else {
          expect(ours.has(one)).toBe(set.has(one))
          expect(ours.add(one)).toBe(!set.has(one))
          set.add(one)
          expect(ours.has(one)).toBe(true)
        }
        expect(ours.size).toBe(set.size)
      }
      for (const one of steps) if (one !== 'clear') expect(ours.has(one)).toBe(set.has(one))
    }),
  )
})

test('it keeps ten million numbers in a few megabytes', () => {
  const bitset = new Bitset()
  const beforeBytes = process.memoryUsage().arrayBuffers
  bitset.add(9_999_999)
  expect(process.memoryUsage().arrayBuffers - beforeBytes).toBeLessThan(4_000_000)
  expect(bitset.has(9_999_999)).toBe(true)
  expect(bitset.has(9_999_998)).toBe(false)
  expect(bitset.has(4_000_000_000)).toBe(false)
})
