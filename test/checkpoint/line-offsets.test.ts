import fc from 'fast-check'
import { expect, test } from 'vitest'
import { LineOffsets } from '../../src/checkpoint/items.js'

test('offsets come in the order of the ordinals, as those of a sorted map would', () => {
  const ordinal = fc.oneof(fc.nat(10), fc.integer({ min: 65_530, max: 65_540 }), fc.nat(300_000))
  fc.assert(
    fc.property(fc.array(fc.tuple(ordinal, fc.nat())), (settled) => {
      const offsets = new LineOffsets()
      for (const [ordinal, offset] of settled) offsets.set(ordinal, offset)
      const inOrder = [...new Map(settled)].sort(([a], [b]) => a - b)
      expect([...offsets.inOrder()]).toEqual(inOrder.map(([, offset]) => offset))
    }),
  )
})

test('a single item far out costs no memory for those before it', () => {
  const offsets = new LineOffsets()
  offsets.set(2 ** 31, 0)
  expect([...offsets.inOrder()]).toEqual([0])
})

test('nothing is left of what is void', () => {
  const offsets = new LineOffsets()
  offsets.set(70_000, 12)
  offsets.clear()
  offsets.set(3, 5)
  expect([...offsets.inOrder()]).toEqual([5])
})
