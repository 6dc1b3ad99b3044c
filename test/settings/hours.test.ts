import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Hours, msUntilOpen } from '../../src/settings/hours.js'

const minute = 60_000
const hours = (from: string, to: string): Hours => ({ fromMinute: minutes(from), toMinute: minutes(to) })
const minutes = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

describe('the hours', () => {
  const zone = process.env.TZ
  beforeAll(() => {
    process.env.TZ = 'Europe/Berlin'
  })
  afterAll(() => {
    if (zone === undefined) delete process.env.TZ
    else process.env.TZ = zone
  })

  it.each([
    // span, now, minutes until it opens
    [hours('09:00', '17:00'), '2026-11-20T08:59:30', 0.5],
    [hours('09:00', '17:00'), '2026-11-20T09:00:00', 0],
    [hours('09:00', '17:00'), '2026-11-20T16:59:59', 0],
    [hours('09:00', '17:00'), '2026-11-20T17:00:00', 16 * 60],
    [hours('22:00', '06:00'), '2026-11-20T23:00:00', 0],
    [hours('22:00', '06:00'), '2026-11-20T05:59:59', 0],
    [hours('22:00', '06:00'), '2026-11-20T06:00:00', 16 * 60],
    [hours('00:00', '24:00'), '2026-11-20T12:00:00', 0],
    [hours('08:00', '08:00'), '2026-11-20T03:00:00', 0],
    [hours('09:00', '10:00'), '2026-12-31T10:00:00', 23 * 60],
    // The night in which the clocks go forward has one hour less, the other one more.
    [hours('09:00', '17:00'), '2026-03-28T17:00:00', 15 * 60],
    [hours('09:00', '17:00'), '2026-10-24T17:00:00', 17 * 60],
    [hours('02:30', '04:00'), '2026-03-29T03:15:00', 0],
  ])('%o at %s open in %f minutes', (span, now, expected) => {
    expect(msUntilOpen(span, new Date(now))).toBe(expected * minute)
  })
})
