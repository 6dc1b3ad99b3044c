import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { IdDifference, IdHashWriter } from '../../src/sources/id-hashes.js'

let directory: string
let path: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-id-hashes-'))
  path = join(directory, '.input-ids')
})
afterAll(() => rmSync(directory, { recursive: true }))

function differenceOf(before: Iterable<string>, now: Iterable<string>): { added: number; gone: number } {
  const writer = new IdHashWriter(path)
  for (const id of before) writer.add(id)
  writer.close()
  const difference = new IdDifference(path)
  for (const id of now) difference.add(id)
  return { added: difference.added, gone: difference.gone }
}

const idOf = (number: number) => `66f2a91c4be07d3f${number.toString(16).padStart(8, '0')}`
const ids = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => idOf(from + index))

test.each([
  ['nothing, twice', [], [], 0, 0],
  ['the same', ids(0, 10), ids(0, 10), 0, 0],
  ['the same in another order', ids(0, 10), ids(0, 10).reverse(), 0, 0],
  ['something where nothing was', [], ids(0, 3), 3, 0],
  ['nothing where something was', ids(0, 3), [], 0, 3],
  ['more', ids(0, 10), ids(0, 130), 120, 0],
  ['others', ids(0, 10), ids(5, 17), 7, 5],
])('%s: what came and what went is counted', (_, before, now, added, gone) => {
  expect(differenceOf(before, now)).toEqual({ added, gone })
})

test('the counts are those of sets', () => {
  const anyIds = fc.uniqueArray(
    fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom('a', 'b', 'c', 'ä', '🙂')),
  )
  fc.assert(
    fc.property(anyIds, anyIds, (before, now) => {
      expect(differenceOf(before, now)).toEqual({
        added: now.filter((id) => !before.includes(id)).length,
        gone: before.filter((id) => !now.includes(id)).length,
      })
    }),
  )
})

test('more IDs than are kept in memory at once are all written, eight bytes each', () => {
  expect(differenceOf(ids(0, 20_001), ids(1, 20_002))).toEqual({ added: 1, gone: 1 })
  expect(statSync(path).size).toBe(20_001 * 8)
  expect(statSync(path).mode & 0o777).toBe(0o600)
})
