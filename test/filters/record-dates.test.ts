import { expect, test } from 'vitest'
import { updatedMsOf } from '../../src/filters/record-dates.js'

test('a record says when it was last touched, or does not', () => {
  expect(updatedMsOf({ date_updated: '2026-01-31T08:00:00' })).toBe(Date.parse('2026-01-31T08:00:00Z'))
  expect(updatedMsOf({ date_updated: 'soon', updated_at: '2026-01-31T08:00:00Z' })).toBe(
    Date.parse('2026-01-31T08:00:00Z'),
  )
  expect(updatedMsOf({ date_updated: '1970-01-01' })).toBeNull()
  expect(updatedMsOf({})).toBeNull()
})
