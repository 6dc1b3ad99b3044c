import fc from 'fast-check'
import { expect, test } from 'vitest'
import { IdSet } from '../../src/sources/id-set.js'

test('it agrees with a Set', () => {
  const id = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.string({ unit: 'binary', maxLength: 20 }),
    fc.stringMatching(/^a*$/),
  )
  fc.assert(
    fc.property(fc.array(id, { maxLength: 300 }), (ids) => {
      const ours = new IdSet()
      const set = new Set<string>()
      for (const one of ids) {
        expect(ours.has(one)).toBe(set.has(one))
        expect(ours.add(one)).toBe(!set.has(one))
        set.add(one)
        expect(ours.has(one)).toBe(true)
        expect(ours.size).toBe(set.size)
      }
    }),
  )
})

test('it tells apart IDs that differ in length or in one code unit', () => {
  const ids = new IdSet()
  const alike = ['', '\0', '\0\0', 'a', 'a\0', 'b', 'a'.repeat(8), 'a'.repeat(9), 'a'.repeat(16), 'Ā', 'ā']
  for (const id of alike) expect(ids.add(id)).toBe(true)
  for (const id of alike) expect(ids.add(id)).toBe(false)
})

test('it keeps all of 200,000 IDs through its growth', () => {
  const ids = new IdSet()
  const idOf = (n: number) => `66f2a91c4be07d3f${n.toString(16).padStart(8, '0')}`
  for (let n = 0; n < 200_000; n++) if (!ids.add(idOf(n))) expect.fail(`${idOf(n)} was not there`)
  for (let n = 0; n < 200_000; n++) if (!ids.has(idOf(n))) expect.fail(`${idOf(n)} is lost`)
  for (let n = 200_000; n < 400_000; n++) if (ids.has(idOf(n))) expect.fail(`${idOf(n)} never came`)
  expect(ids.size).toBe(200_000)
})

test('every ID has a place of its own, and what is not there has none', () => {
  const ids = new IdSet()
  const idOf = (n: number) => `66f2a91c4be07d3f${n.toString(16).padStart(8, '0')}`
  for (let n = 0; n < 20_000; n++) ids.add(idOf(n))
  const places = new Set<number>()
  for (let n = 0; n < 20_000; n++) places.add(ids.placeOf(idOf(n))!)
  expect(places.has(null!)).toBe(false)
  expect(places.size).toBe(20_000)
  expect(Math.max(...places)).toBeLessThan(100_000)
  expect(ids.placeOf(idOf(20_000))).toBe(null)
})
