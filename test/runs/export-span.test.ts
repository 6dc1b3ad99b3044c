import { describe, expect, test } from 'vitest'
import { valueIn } from '../../src/settings/flags.js'
import { exportSpan } from '../../src/settings/run-settings.js'

const nowMs = Date.UTC(2026, 10, 1, 12)
const dayMs = 86_400_000

type Flags = Parameters<typeof exportSpan>[0]

function spanOf(flags: Record<string, string>) {
  const notices: string[] = []
  const span = exportSpan(flags as Flags, nowMs, (text) => void notices.push(text))
  return { span, notices }
}

describe('the span that the flags name', () => {
  test.each([
    [{}, 'updated', nowMs - 364 * dayMs, nowMs],
    [{ 'updated-since': '90d' }, 'updated', nowMs - 90 * dayMs, nowMs],
    [{ 'created-since': '90d' }, 'created', nowMs - 90 * dayMs, nowMs],
    [{ 'updated-since': '90d', to: '30d' }, 'updated', nowMs - 90 * dayMs, nowMs - 30 * dayMs],
    [{ 'updated-since': '36h' }, 'updated', nowMs - 1.5 * dayMs, nowMs],
    [
      { 'created-since': '2026-01-01', to: '2026-02-01' },
      'created',
      Date.UTC(2026, 0, 1),
      Date.UTC(2026, 1, 1),
    ],
    [{ 'updated-since': '2026-01-31T08:00Z' }, 'updated', Date.UTC(2026, 0, 31, 8), nowMs],
    [{ 'updated-since': '2026-01-31T08:00:00' }, 'updated', Date.UTC(2026, 0, 31, 8), nowMs],
  ])('%j', (flags, by, fromMs, toMs) => {
    expect(spanOf(flags as Record<string, string>)).toEqual({ span: { by, fromMs, toMs }, notices: [] })
  })

  test('begins where the history begins, and says so', () => {
    const { span, notices } = spanOf({ 'updated-since': '2020-01-01' })
    expect(span.fromMs).toBe(nowMs - 364 * dayMs)
    expect(notices).toEqual(['Data Export goes back 12 months: beginning there.'])
  })

  test.each([
    [{ 'updated-since': '9d', 'created-since': '9d' }, /do not go together/],
    [{ 'updated-since': 'soon' }, /^--updated-since soon: not a span of time/],
    [{ 'created-since': '2026-13-01' }, /^--created-since 2026-13-01: not a moment/],
    [{ 'updated-since': '5d', to: '10d' }, /^--updated-since must lie before --to/],
    [{ 'created-since': '5d', to: '5d' }, /^--created-since must lie before --to/],
    [{ 'updated-since': '0d' }, /must lie before --to/],
    [{ to: '2020-01-01' }, /must lie before --to/],
    [{ 'updated-since': '5d', to: 'later' }, /^--to later: not a span of time/],
  ])('%j is refused', (flags, words) => {
    expect(() => spanOf(flags as Record<string, string>)).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringMatching(words) }),
    )
  })
})

test('a page has 100 to 10000 records, and 1000 unless told otherwise', () => {
  expect(
    [{}, { 'page-size': '100' }, { 'page-size': '10000' }].map((flags) =>
      valueIn(flags as Flags, 'page-size'),
    ),
  ).toEqual([1000, 100, 10_000])
  for (const size of ['99', '10001', '1e3', 'all', '']) {
    expect(() => valueIn({ 'page-size': size } as Flags, 'page-size'), size).toThrow(
      /--page-size .*not a whole number from 100 to 10000/,
    )
  }
})
