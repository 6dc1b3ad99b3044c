import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createdBetween, idleLongerThan, updatedMsOf } from '../../src/filters/dates.js'
import { itemOf, itemsIn, wordOf } from './items.js'

const zone = process.env.TZ
beforeAll(() => {
  process.env.TZ = 'Pacific/Apia'
})
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const dayMs = 86_400_000
const nowMs = Date.parse('2026-11-22T12:00:00Z')
const idle = (record: Record<string, unknown>, field?: string) =>
  idleLongerThan(14 * dayMs, nowMs, field).judge(itemOf(record))

describe('idle for 14 days', () => {
  test.each([
    ['2026-11-08T12:00:00', 'take'],
    ['2026-11-08T12:00:00.000999', 'take'],
    ['2026-11-08T12:00:00.001', 'filtered not_stale'],
    ['2026-11-08T13:59:59+02:00', 'take'],
    ['2026-11-08T14:00:01+02:00', 'filtered not_stale'],
    ['2026-11-22T12:00:00', 'filtered not_stale'],
    ['2027-01-01T00:00:00', 'filtered not_stale'],
    [1794139200, 'take'],
    ['1794139201', 'filtered not_stale'],
    // Of a date alone nobody knows the time of the day: it may be the last.
    ['2026-11-07', 'take'],
    ['2026-11-08', 'filtered not_stale'],
  ])('on 22 November at noon, what was updated %j: %s', (date_updated, word) => {
    expect(wordOf(idle({ date_updated }))).toBe(word)
  })

  test('says when it was updated', () => {
    expect(idle({ date_updated: '2026-11-20T08:00:00.5' })).toEqual({
      status: 'filtered',
      reason: 'not_stale',
      message: 'updated 2026-11-20T08:00:00.500Z',
    })
  })

  test.each([
    [{}, 'has no date_updated or updated_at, which --idle needs; --date-column NAME names another'],
    [
      { date_updated: null, updated_at: ' ' },
      'has no date_updated or updated_at, which --idle needs; --date-column NAME names another',
    ],
    [
      { record_last_updated: '2025-01-01T00:00:00' },
      'has no date_updated or updated_at, which --idle needs; --date-column NAME names another',
    ],
    [{ date_updated: '31/12/2025' }, 'date_updated is not a moment, which --idle needs: "31/12/2025"'],
    [{ date_updated: [1] }, 'date_updated is not a moment, which --idle needs: [1]'],
    // No conversation is as old as this: it is how programs write that there is no date.
    [
      { date_updated: '1970-01-01T00:00:00' },
      'date_updated is not a moment, which --idle needs: "1970-01-01T00:00:00"',
    ],
    [{ date_updated: '0001-01-01' }, 'date_updated is not a moment, which --idle needs: "0001-01-01"'],
    [{ date_updated: 20260131 }, 'date_updated is not a moment, which --idle needs: 20260131'],
    [{ date_updated: 1e20 }, 'date_updated is not a moment, which --idle needs: 100000000000000000000'],
  ])('cannot be said of %j: %s', (record, message) => {
    expect(idle(record)).toEqual({ status: 'invalid', reason: 'bad_row', message })
  })

  test('goes by the field that Data Export has before that of the API', () => {
    expect(wordOf(idle({ date_updated: '2026-11-20T00:00:00', updated_at: '2025-01-01T00:00:00Z' }))).toBe(
      'filtered not_stale',
    )
    expect(wordOf(idle({ updated_at: '2025-01-01T00:00:00Z' }))).toBe('take')
  })

  test('goes by the named field alone, and by no field of JavaScript', () => {
    const record = { date_updated: '2025-01-01T00:00:00', 'Last seen': '2026-11-20' }
    expect(wordOf(idle(record, 'Last seen'))).toBe('filtered not_stale')
    for (const field of ['Last Seen', 'constructor', '__proto__', 'toString'])
      expect(idle(record, field)).toMatchObject({
        status: 'invalid',
        message: `has no ${field}, which --idle needs`,
      })
  })

  test('is judged again, hours later, by the moment at which the run began', () => {
    const { judgeAgain } = idleLongerThan(14 * dayMs, nowMs)
    expect(judgeAgain!(nowMs - 14 * dayMs)).toBeNull()
    expect(judgeAgain!(nowMs + 1)).toMatchObject({ status: 'filtered', reason: 'not_stale' })
  })

  test('is the same for a record of Data Export and for a row of a CSV made of it', async () => {
    const dates = ['2026-11-01T00:00:00.123456', '2026-11-21T00:00:00', '']
    const json = dates
      .map((date_updated, index) => JSON.stringify({ _id: `c${index}`, date_updated }))
      .join('\n')
    const table = `_id,date_updated\n${dates.map((date, index) => `c${index},${date}\n`).join('')}`
    for (const text of [json, table]) {
      const items = await itemsIn(text)
      expect(items.map((item) => wordOf(idleLongerThan(14 * dayMs, nowMs).judge(item)))).toEqual([
        'take',
        'filtered not_stale',
        'invalid bad_row',
      ])
    }
  })
})

describe('created between', () => {
  const from = Date.parse('2026-01-01T00:00:00Z')
  const to = Date.parse('2026-02-01T00:00:00Z')

  test.each([
    ['2025-12-31T23:59:59.999', 'filtered created_too_early'],
    ['2026-01-01', 'take'],
    ['2026-01-31T23:59:59.999', 'take'],
    ['2026-02-01T00:00:00', 'filtered created_too_late'],
    ['2026-01-01T00:30:00+01:00', 'filtered created_too_early'],
  ])('1 January and 1 February, %s: %s', (date_created, word) => {
    expect(wordOf(createdBetween(from, to).judge(itemOf({ date_created })))).toBe(word)
    expect(wordOf(createdBetween(from, to).judge(itemOf({ created_at: date_created })))).toBe(word)
  })

  test('leaves a side open', () => {
    const ancient = itemOf({ date_created: '2016-01-01' })
    expect(createdBetween(Number.NEGATIVE_INFINITY, to).judge(ancient)).toBeNull()
    expect(wordOf(createdBetween(from, Number.POSITIVE_INFINITY).judge(ancient))).toBe(
      'filtered created_too_early',
    )
  })

  test('cannot be said of a record without the moment', () => {
    expect(createdBetween(from, to).judge(itemOf({ date_updated: '2026-01-05' }))).toEqual({
      status: 'invalid',
      reason: 'bad_row',
      message: 'has no date_created or created_at, which --created-after needs',
    })
    expect(createdBetween(Number.NEGATIVE_INFINITY, to).judge(itemOf({ created_at: 'soon' }))).toMatchObject({
      message: 'created_at is not a moment, which --created-before needs: "soon"',
    })
  })
})

test('a record says when it was last touched, or does not', () => {
  expect(updatedMsOf({ date_updated: '2026-01-31T08:00:00' })).toBe(Date.parse('2026-01-31T08:00:00Z'))
  expect(updatedMsOf({ date_updated: 'soon', updated_at: '2026-01-31T08:00:00Z' })).toBe(
    Date.parse('2026-01-31T08:00:00Z'),
  )
  expect(updatedMsOf({ date_updated: '1970-01-01' })).toBeNull()
  expect(updatedMsOf({})).toBeNull()
})
