import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Item } from '../../src/item.js'
import { Batching, referenceOf } from '../../src/runs/settle-batches.js'

const itemOf = (ordinal: number, id = `user${ordinal}@example.com`): Item => ({
  ordinal,
  id,
  source: 'end-users.csv',
  line: ordinal + 2,
  record: () => ({}),
})
const limits = {
  itemsMax: 1000,
  bytesMax: 512 * 1024,
  bytesOfFrame: 60,
  bytesOf: (item: Item) => item.id.length,
}

function batchesOf(items: readonly Item[], within = limits): (readonly Item[])[] {
  const batching = new Batching(within)
  const full = items.flatMap((item) => {
    const batch = batching.add(item)
    return batch === null ? [] : [batch]
  })
  const rest = batching.takeRest()
  return rest === null ? full : [...full, rest]
}

describe('batches', () => {
  test('hold every item once, in order, and never more than the API takes', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 300 })
    fc.assert(
      fc.property(sizes, fc.integer({ min: 1, max: 12 }), (lengths, itemsMax) => {
        const items = lengths.map((length, ordinal) => itemOf(ordinal, 'u'.repeat(length)))
        const within = { ...limits, itemsMax, bytesMax: 100, bytesOfFrame: 60 }
        const batches = batchesOf(items, within)
        expect(batches.flat()).toEqual(items)
        for (const batch of batches) {
          expect(batch.length).toBeGreaterThan(0)
          expect(batch.length).toBeLessThanOrEqual(itemsMax)
          expect(60 + batch.reduce((sum, { id }) => sum + id.length, 0)).toBeLessThanOrEqual(100)
        }
        // None is smaller than it has to be.
        for (const [index, batch] of batches.slice(0, -1).entries()) {
          const next = batches[index + 1]![0]!
          const bytes = 60 + [...batch, next].reduce((sum, { id }) => sum + id.length, 0)
          expect(batch.length === itemsMax || bytes > 100).toBe(true)
        }
      }),
    )
  })

  test('of 2,500 items are two full ones and the rest', () => {
    const items = Array.from({ length: 2500 }, (_, ordinal) => itemOf(ordinal))
    expect(batchesOf(items).map(({ length }) => length)).toEqual([1000, 1000, 500])
  })

  test('of nothing are none', () => {
    expect(batchesOf([])).toEqual([])
  })
})

describe('the reference of a batch', () => {
  const run = { run: 'erase-end-users-2026-11-22T09-00-00', startedAt: '2026-11-22T09:00:00.000Z' }
  const items = [itemOf(0), itemOf(1)]

  test('is the same whenever the batch is made, and says nothing about who is in it', () => {
    expect(referenceOf(run, items)).toBe(referenceOf({ ...run }, [itemOf(0), itemOf(1)]))
    expect(referenceOf(run, items)).toMatch(/^ada-bulk-[0-9a-f]{32}$/)
  })

  test.each([
    ['another run', referenceOf({ ...run, run: 'erase-end-users-2026-11-23T09-00-00' }, items)],
    [
      'a run of that name at another time',
      referenceOf({ ...run, startedAt: '2026-11-23T09:00:00.000Z' }, items),
    ],
    ['fewer items', referenceOf(run, items.slice(1))],
    ['other items', referenceOf(run, [itemOf(0), itemOf(1, 'jane@example.com')])],
    ['the same at another place of the input', referenceOf(run, [itemOf(0), itemOf(2, 'user1@example.com')])],
  ])('is another for %s', (_, other) => {
    expect(other).not.toBe(referenceOf(run, items))
  })
})
