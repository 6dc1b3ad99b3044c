import { describe, expect, test } from 'vitest'
import { quotaOf } from '../../src/operations/http.js'
import { noQuota } from '../../src/settings/limits.js'

const wallMs = Date.UTC(2026, 10, 22, 12)
const httpDate = (ms: number) => new Date(ms).toUTCString()
const dayMs = 86_400_000

test('an answer that says nothing about limits leaves everything open', () => {
  expect(quotaOf({}, wallMs)).toEqual(noQuota)
  expect(quotaOf({ date: httpDate(wallMs), 'content-type': 'text/html' }, wallMs)).toEqual(noQuota)
})

describe('Retry-After', () => {
  test.each([
    ['30', 30_000],
    ['1', 1000],
    ['0', 0],
    [' 5 ', 5000],
    ['1.5', 1500],
    ['86400', dayMs],
    ['86401', dayMs],
    ['9'.repeat(400), dayMs],
  ])('of %s seconds is a wait of %i ms', (value, ms) => {
    expect(quotaOf({ 'retry-after': value }, wallMs).retryAfterMs).toBe(ms)
  })

  test.each([
    [httpDate(wallMs + 90_000), 90_000],
    [httpDate(wallMs), 0],
    [httpDate(wallMs - 60_000), 0],
    [httpDate(wallMs + 30 * dayMs), dayMs],
    ['2026-11-22T12:00:07Z', 7000],
  ])('%s is a wait of %i ms', (value, ms) => {
    expect(quotaOf({ 'retry-after': value }, wallMs).retryAfterMs).toBe(ms)
  })

  test('as a date is compared with the clock that the date comes from', () => {
    const theirMs = wallMs - 3_600_000
    const headers = { date: httpDate(theirMs), 'retry-after': httpDate(theirMs + 20_000) }
    expect(quotaOf(headers, wallMs).retryAfterMs).toBe(20_000)
  })

  test.each(['', ' ', 'soon', '-5', '30 seconds', '60, 60', 'try 5', '1e3', '0x10', 'NaN', '12:30', '٣'])(
    '%j is no answer: a wait of nothing would be one',
    (value) => {
      expect(quotaOf({ 'retry-after': value }, wallMs).retryAfterMs).toBeNull()
    },
  )

  test('that comes twice counts once', () => {
    expect(quotaOf({ 'retry-after': ['7', '9'] }, wallMs).retryAfterMs).toBe(7000)
  })
})

describe('X-RateLimit', () => {
  const reset = (ms: number) => String(ms / 1000)

  test('limit, remaining and reset are read', () => {
    const headers = {
      date: httpDate(wallMs),
      'x-ratelimit-limit': '300',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': reset(wallMs + 12_000),
    }
    expect(quotaOf(headers, wallMs)).toEqual({
      retryAfterMs: null,
      limit: 300,
      remaining: 0,
      resetInMs: 12_000,
    })
  })

  test.each([
    ['an hour behind', -3_600_000],
    ['a day ahead', dayMs],
  ])('the reset is right though their clock is %s', (_, offsetMs) => {
    const theirMs = wallMs + offsetMs
    const headers = { date: httpDate(theirMs), 'x-ratelimit-reset': reset(theirMs + 12_000) }
    expect(quotaOf(headers, wallMs).resetInMs).toBe(12_000)
  })

  test.each(['yesterday', ''])('with the Date %j, our own clock has to do', (date) => {
    expect(quotaOf({ date, 'x-ratelimit-reset': reset(wallMs + 12_000) }, wallMs).resetInMs).toBe(12_000)
  })

  test.each([
    ['long past', wallMs - 60_000, 0],
    ['a span where a moment belongs', 30_000, 0],
    ['in milliseconds', wallMs * 1000, dayMs],
  ])('a reset that is %s is kept within a day', (_, ms, expected) => {
    expect(quotaOf({ 'x-ratelimit-reset': reset(ms) }, wallMs).resetInMs).toBe(expected)
  })

  test.each(['', 'many', '-1', '3e2', 'NaN', '300, 300', '0x10'])('%j says nothing', (value) => {
    const headers = { 'x-ratelimit-limit': value, 'x-ratelimit-remaining': value, 'x-ratelimit-reset': value }
    expect(quotaOf(headers, wallMs)).toEqual(noQuota)
  })
})
