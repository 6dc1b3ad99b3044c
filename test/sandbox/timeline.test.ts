import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Timeline } from '../../src/sandbox/timeline.js'

interface Event {
  id: string
  atMs: number
}

const byDateThenId = (one: Event, other: Event) => one.atMs - other.atMs || (one.id < other.id ? -1 : 1)

/** Few moments and many events, so that many share one. */
const events = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 3 }), { maxLength: 60 })
  .chain((ids) =>
    fc.tuple(...ids.map((id) => fc.record({ id: fc.constant(id), atMs: fc.integer({ min: 0, max: 9 }) }))),
  )

test('slices, one after the other, are what lies between two moments, in order', () => {
  const moments = fc.integer({ min: 0, max: 10 })
  fc.assert(
    fc.property(events, moments, moments, fc.integer({ min: 1, max: 70 }), (all, fromMs, toMs, countMax) => {
      const timeline = new Timeline<Event>(({ atMs }) => atMs)
      for (const event of all) timeline.add(event)
      const found: Event[] = []
      let from = { atMs: fromMs, id: '' }
      for (let hasMore = true; hasMore; ) {
        const slice = timeline.slice(from, toMs, countMax)
        expect(slice.things.length).toBeLessThanOrEqual(countMax)
        found.push(...slice.things)
        hasMore = slice.hasMore
        if (hasMore)
          from = { ...timeline.positionOf(slice.things.at(-1)!), id: `${slice.things.at(-1)!.id}\0` }
      }
      const expected = all.filter(({ atMs }) => atMs >= fromMs && atMs < toMs).toSorted(byDateThenId)
      expect(found).toEqual(expected)
    }),
  )
})

test('what has moved is found where it is now', () => {
  fc.assert(
    fc.property(events, fc.integer({ min: 0, max: 9 }), (all, thenMs) => {
      const timeline = new Timeline<Event>(({ atMs }) => atMs)
      for (const event of all) timeline.add({ ...event })
      const [first] = timeline.slice({ atMs: 0, id: '' }, 10, 1).things
      if (!first) return
      first.atMs = thenMs
      timeline.moved()
      const { things, hasMore } = timeline.slice({ atMs: 0, id: '' }, 10, 100)
      expect([things.length, hasMore]).toEqual([all.length, false])
      expect(things).toEqual(things.toSorted(byDateThenId))
    }),
  )
})
