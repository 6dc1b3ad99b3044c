import { describe, expect, test } from 'vitest'
import {
  parseCaps,
  parseCount,
  parseDuration,
  parseHours,
  parseLimits,
  parseMaxFailures,
  parsePositiveDuration,
  parseShare,
} from '../../src/settings/values.js'
import { UsageError } from '../../src/system/errors.js'

/** Every parser refuses in its own words, but always names the flag and what was typed. */
function expectRefusal(parse: () => unknown, flag: string, typed: string): void {
  let refusal: unknown
  try {
    refusal = { wasTaken: parse() }
  } catch (error) {
    refusal = error
  }
  expect(refusal).toBeInstanceOf(UsageError)
  expect((refusal as UsageError).message).toContain(`${flag} ${typed}`)
}

describe('a span of time', () => {
  test.each([
    ['30s', 30_000],
    ['500ms', 500],
    ['1h30m', 5_400_000],
    ['14d', 1_209_600_000],
    ['1.5h', 5_400_000],
    [' 2h ', 7_200_000],
    ['0s', 0],
    ['1d2h3m4s5ms', 93_784_005],
  ])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text, '--max-duration')).toBe(ms)
  })

  test.each(['', ' ', '30', 's', '-5s', '5 s', '1h 30m', '1w', '5S', '1h30', 'h1', '1e3s', '1,5h', '٣s'])(
    '%j is none',
    (text) => {
      expectRefusal(() => parseDuration(text, '--max-duration'), '--max-duration', text)
    },
  )

  test('where it must not be nothing, nothing is refused', () => {
    expect(parsePositiveDuration('1ms', '--timeout')).toBe(1)
    for (const text of ['0s', '0ms', '0.0h']) {
      expectRefusal(() => parsePositiveDuration(text, '--timeout'), '--timeout', text)
    }
  })

  test('more than is allowed is refused, with what is', () => {
    expect(parsePositiveDuration('1h', '--timeout', 3_600_000)).toBe(3_600_000)
    expect(() => parsePositiveDuration('1h1ms', '--timeout', 3_600_000)).toThrow(
      '--timeout 1h1ms: must be 1 h at most.',
    )
  })
})

describe('limits', () => {
  test.each([
    ['30/s', 30, 1000],
    ['300/m', 300, 60_000],
    ['60000/d', 60_000, 86_400_000],
    ['1000/h', 1000, 3_600_000],
    ['40/6s', 40, 6000],
    ['5/500ms', 5, 500],
    ['1/1.5s', 1, 1500],
    [' 30 / 2 s ', 30, 2000],
    ['1000000000/s', 1_000_000_000, 1000],
  ])('%s is %i calls in %i ms', (text, max, perMs) => {
    expect(parseLimits([text])).toEqual([{ max, perMs }])
  })

  test('several are kept in their order', () => {
    expect(parseLimits(['300/m', '30/s'])).toEqual([
      { max: 300, perMs: 60_000 },
      { max: 30, perMs: 1000 },
    ])
  })

  test('none stands alone', () => {
    expect(parseLimits(['none'])).toBe('none')
    expectRefusal(() => parseLimits(['none', '30/s']), '--api-limit', 'none')
    expectRefusal(() => parseLimits(['30/s', 'none']), '--api-limit', 'none')
  })

  test.each([
    '',
    '30',
    '/s',
    '30/',
    '0/s',
    '30/0s',
    '1.5/s',
    '-1/s',
    '30/x',
    '30/s/s',
    '30 per s',
    'None',
    '1e3/s',
  ])('%j is none', (text) => {
    expectRefusal(() => parseLimits([text]), '--api-limit', text)
  })

  test('a cap of one’s own is written the same, and is never none', () => {
    expect(parseCaps(['5000/h', '5/s'])).toEqual([
      { max: 5000, perMs: 3_600_000 },
      { max: 5, perMs: 1000 },
    ])
    expectRefusal(() => parseCaps(['fast']), '--limit', 'fast')
    expectRefusal(() => parseCaps(['none']), '--limit', 'none')
    expect(() => parseCaps(['5/s', 'none'])).toThrow('--api-limit none')
  })

  test('there are 16 at most', () => {
    const seventeen = Array.from({ length: 17 }, (_, index) => `${index + 1}/s`)
    expect(() => parseLimits(seventeen)).toThrow('--api-limit: is given more than 16 times.')
    expect(() => parseCaps(seventeen)).toThrow('--limit: is given more than 16 times.')
    expect(parseCaps(seventeen.slice(1))).toHaveLength(16)
  })

  test('what is beyond counting is refused', () => {
    const nines = '9'.repeat(400)
    for (const text of ['1000000001/s', '99999999999999999999/s', `${nines}/s`, `1/${nines}d`, '1/999999d']) {
      expectRefusal(() => parseLimits([text]), '--api-limit', text)
    }
  })

  test('a window is in whole milliseconds, as it is written down so', () => {
    for (const text of ['30/1.5ms', '30/1.0005s', '30/0.3333m']) {
      expect(parseLimits([text])).toEqual([{ max: 30, perMs: expect.toSatisfy(Number.isInteger) }])
    }
  })
})

describe('a share', () => {
  test.each([
    ['80%', 0.8],
    ['80', 0.8],
    ['1%', 0.01],
    ['100%', 1],
    ['12.5 %', 0.125],
  ])('%s is %f', (text, share) => {
    expect(parseShare(text)).toBe(share)
  })

  test.each(['', '0', '0.8', '101%', '100.1%', '-5%', '80%%', 'half', '80 percent'])('%j is none', (text) => {
    expectRefusal(() => parseShare(text), '--share', text)
  })
})

describe('the most failures', () => {
  test.each([
    ['100', { count: 100, ratio: null }],
    ['0', { count: 0, ratio: null }],
    ['25%', { count: null, ratio: 0.25 }],
    ['0%', { count: null, ratio: 0 }],
    ['100 %', { count: null, ratio: 1 }],
    ['2.5%', { count: null, ratio: 0.025 }],
  ])('%s are %o', (text, limit) => {
    expect(parseMaxFailures(text)).toEqual(limit)
  })

  test.each(['', '%', '0.25', '101%', '-1', '1e3', 'none', '25 percent'])('%j are none', (text) => {
    expectRefusal(() => parseMaxFailures(text), '--max-failures', text)
  })
})

describe('hours', () => {
  test.each([
    ['22:00-06:00', 1320, 360],
    ['9:30-17:45', 570, 1065],
    [' 09:00 - 17:00 ', 540, 1020],
    ['00:00-24:00', 0, 1440],
    ['18:00-24:00', 1080, 1440],
    ['23:59-00:00', 1439, 0],
  ])('%s are minutes %i to %i', (text, fromMinute, toMinute) => {
    expect(parseHours(text)).toEqual({ fromMinute, toMinute })
  })

  test.each([
    ...['', '22-6', '22:00', '22:00-', '25:00-06:00', '22:60-06:00', '24:01-06:00', '22:00-06:00-08:00'],
    ...['22:0-06:00', '-1:00-06:00', '10pm-6am'],
  ])('%j are none', (text) => {
    expectRefusal(() => parseHours(text), '--hours', text)
  })

  test('a span that is never open is refused, midnight written either way', () => {
    for (const text of ['08:00-08:00', '00:00-00:00', '24:00-00:00']) {
      expectRefusal(() => parseHours(text), '--hours', text)
    }
  })
})

describe('a count', () => {
  test.each([
    ['1', 1],
    [' 16 ', 16],
    ['007', 7],
    ['1000000000', 1_000_000_000],
  ])('%j is %i', (text, number) => {
    expect(parseCount(text, '--max-items')).toBe(number)
  })

  test.each(['', '0', '-1', '1.5', '1e3', '1,000', '0x10', '1000000001', 'all', '٣'])(
    '%j is none',
    (text) => {
      expectRefusal(() => parseCount(text, '--max-items'), '--max-items', text)
    },
  )

  test('its bounds are the flag’s own', () => {
    expect(parseCount('0', '--port', 0, 65_535)).toBe(0)
    expect(() => parseCount('65536', '--port', 0, 65_535)).toThrow(
      '--port 65536: not a whole number from 0 to 65535.',
    )
  })
})
