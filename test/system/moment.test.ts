import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { momentMs } from '../../src/system/moment.js'

const zone = process.env.TZ
afterAll(() => {
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

describe.each(['UTC', 'Europe/Berlin', 'Asia/Kathmandu', 'Pacific/Apia'])(
  'where clocks show %s, a moment',
  (here) => {
    test.each([
      // As Data Export writes it: without an offset it is UTC.
      ['2026-03-29T02:30:00.123456', '2026-03-29T02:30:00.123Z'],
      ['2026-10-25T02:30:00', '2026-10-25T02:30:00.000Z'],
      ['2026-01-31 08:05:09', '2026-01-31T08:05:09.000Z'],
      ['2026-01-31 08:05', '2026-01-31T08:05:00.000Z'],
      ['2026-01-31', '2026-01-31T00:00:00.000Z'],
      ['  2026-01-31T08:05:09Z ', '2026-01-31T08:05:09.000Z'],
      ['2026-01-31t08:05:09z', '2026-01-31T08:05:09.000Z'],
      ['2026-01-31 08:05:09 UTC', '2026-01-31T08:05:09.000Z'],
      ['2026-01-31T08:05:09+02:00', '2026-01-31T06:05:09.000Z'],
      ['2026-01-31T08:05:09-0530', '2026-01-31T13:35:09.000Z'],
      ['2026-01-31T23:30:00-01', '2026-02-01T00:30:00.000Z'],
      ['2026-01-31T08:05:09,5', '2026-01-31T08:05:09.500Z'],
      ['2026-01-31T08:05:09.999999999Z', '2026-01-31T08:05:09.999Z'],
      ['2024-02-29', '2024-02-29T00:00:00.000Z'],
      // Unix time, in seconds and in milliseconds.
      [1769846709, '2026-01-31T08:05:09.000Z'],
      [1769846709.25, '2026-01-31T08:05:09.250Z'],
      [1769846709123, '2026-01-31T08:05:09.123Z'],
      ['1769846709', '2026-01-31T08:05:09.000Z'],
      ['1769846709123', '2026-01-31T08:05:09.123Z'],
    ])('%j is %s', (value, iso) => {
      process.env.TZ = here
      const ms = momentMs(value)
      expect(ms === null ? null : new Date(ms).toISOString()).toBe(iso)
    })
  },
)

describe('no moment', () => {
  test.each([
    ...[
      '',
      ' ',
      'yesterday',
      'NaN',
      'null',
      '-',
      '31.01.2026',
      '01/31/2026',
      '31-01-2026',
      '2026-1-31',
      '20260131',
    ],
    ...['2026-02-29', '2026-02-30', '2026-13-01', '2026-00-10', '2026-01-00', '2026-04-31', '1900-02-29'],
    ...['2026-01-31T24:00:00', '2026-01-31T08:60', '2026-01-31T08:05:60', '2026-01-31T08', '2026-01-31Z'],
    ...[
      '2026-01-31T08:05:09+24:00',
      '2026-01-31T08:05:09+02:60',
      '2026-01-31T08:05:09 CET',
      '2026-01-31T08:05:09+2',
    ],
    // What programs write where they have no date.
    ...[
      '0000-00-00',
      '0001-01-01T00:00:00',
      '0099-01-01',
      '2026-01-31; DROP',
      '2026-01-31\n2026-01-31',
      `2026-01-31${' '.repeat(5)}x`,
    ],
    ...[
      0,
      -1,
      Number.NaN,
      Number.POSITIVE_INFINITY,
      1e20,
      1e13,
      1769846709123456,
      true,
      false,
      null,
      undefined,
    ],
    ...[{}, [], ['2026-01-31'], new Date(0)],
  ])('is %o', (value) => {
    expect(momentMs(value)).toBeNull()
  })

  test('is found at once in very long text', () => {
    const startMs = performance.now()
    for (const text of [
      `2026-01-31T08:05${' '.repeat(1e6)}x`,
      '9'.repeat(1e6),
      ' '.repeat(1e6),
      `2026-01-31T08:05:09.${'1'.repeat(1e6)}`,
    ])
      expect(momentMs(text)).toBeNull()
    expect(performance.now() - startMs).toBeLessThan(500)
  })
})

test('every moment is read back, in each way to write it', () => {
  const ms = fc
    .date({ min: new Date('2000-01-01'), max: new Date('2100-01-01'), noInvalidDate: true })
    .map((date) => date.getTime())
  const offset = fc.integer({ min: -14 * 60, max: 14 * 60 })
  const pad = (number: number) => String(number).padStart(2, '0')
  fc.assert(
    fc.property(ms, offset, fc.nat(999), (atMs, minutes, micros) => {
      const iso = new Date(atMs).toISOString()
      const there = new Date(atMs + minutes * 60_000).toISOString().slice(0, -1)
      const size = Math.abs(minutes)
      expect(momentMs(iso)).toBe(atMs)
      expect(momentMs(iso.slice(0, -1) + String(micros).padStart(3, '0'))).toBe(atMs)
      expect(
        momentMs(`${there}${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`),
      ).toBe(atMs)
      expect(momentMs(atMs)).toBe(atMs)
      expect(momentMs(Math.floor(atMs / 1000))).toBe(Math.floor(atMs / 1000) * 1000)
    }),
  )
})
