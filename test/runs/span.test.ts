import { describe, expect, test } from 'vitest'
import { nextPath, queriesOf, queryPath, sinceEdge } from '../../src/runs/export-pages.js'
import type { ExportSpan } from '../../src/settings/run-settings.js'

const dayMs = 86_400_000
const fromMs = Date.UTC(2026, 0, 1)
const span = (lengthMs: number): ExportSpan => ({ by: 'updated', fromMs, toMs: fromMs + lengthMs })

describe('a span is asked for in queries', () => {
  test.each([
    [1, 1],
    [60 * dayMs, 1],
    [60 * dayMs + 1, 2],
    [364 * dayMs, 7],
  ])('of %i ms: %i', (lengthMs, count) => {
    expect(queriesOf(span(lengthMs))).toHaveLength(count)
  })

  test.each([1, 60 * dayMs, 60 * dayMs + 1, 123_456_789, 364 * dayMs])(
    'that leave no gap, do not overlap and are 60 days long at most: %i ms',
    (lengthMs) => {
      const queries = queriesOf(span(lengthMs))
      expect(queries[0]!.fromMs).toBe(fromMs)
      expect(queries.at(-1)!.toMs).toBe(fromMs + lengthMs)
      for (const [index, query] of queries.entries()) {
        expect(query.toMs - query.fromMs).toBeGreaterThan(0)
        expect(query.toMs - query.fromMs).toBeLessThanOrEqual(60 * dayMs)
        if (index > 0) expect(query.fromMs).toBe(queries[index - 1]!.toMs)
      }
    },
  )

  test('an empty span takes none', () => {
    expect(queriesOf(span(0))).toEqual([])
  })
})

test.each([
  [
    'updated',
    '/api/v2/export/conversations?updated_since=2026-01-01T00%3A00%3A00.000Z&updated_to=2026-01-02T00%3A00%3A00.000Z&page_size=1000',
  ],
  [
    'created',
    '/api/v2/export/conversations?created_since=2026-01-01T00%3A00%3A00.000Z&created_to=2026-01-02T00%3A00%3A00.000Z&page_size=1000',
  ],
] as const)('a query by %s names both bounds, in UTC with a Z', (by, path) => {
  expect(queryPath({ ...span(dayMs), by }, 1000)).toBe(path)
})

describe('a query that is asked late', () => {
  const query = span(60 * dayMs)

  test('is the same while its beginning is in the history', () => {
    expect(sinceEdge(query, fromMs + 364 * dayMs)).toEqual(query)
  })

  test('begins where the history begins by then', () => {
    const late = sinceEdge(query, fromMs + 400 * dayMs)
    expect(fromMs + 400 * dayMs - late.fromMs).toBeLessThan(365 * dayMs)
    expect(fromMs + 400 * dayMs - late.fromMs).toBeGreaterThanOrEqual(364 * dayMs)
    expect(late.toMs).toBe(query.toMs)
  })

  test('never ends before it begins', () => {
    const late = sinceEdge(query, fromMs + 800 * dayMs)
    expect(late.fromMs).toBeLessThan(late.toMs)
  })
})

describe('the next page', () => {
  const origin = 'https://acme.eu.ada.support'
  const current = '/api/v2/export/conversations?page_size=1000'

  test.each([
    ['/api/v2/export/conversations?cursor=b', '/api/v2/export/conversations?cursor=b'],
    ['?cursor=b', '/api/v2/export/conversations?cursor=b'],
    ['conversations?cursor=b', '/api/v2/export/conversations?cursor=b'],
    [`${origin}/api/v2/export/conversations?cursor=b`, '/api/v2/export/conversations?cursor=b'],
    [`${origin}:443/x?cursor=b`, '/x?cursor=b'],
    ['https://ACME.eu.ada.support/x', '/x'],
    ['//acme.eu.ada.support/x', '/x'],
    ['/x?cursor=a%2Fb+c%3D', '/x?cursor=a%2Fb+c%3D'],
  ])('may be named as %s', (named, path) => {
    expect(nextPath(named, origin, current)).toBe(path)
  })

  test.each([
    'https://elsewhere.example/api/v2/export/conversations?cursor=b',
    '//elsewhere.example/x',
    '\\\\elsewhere.example\\x',
    'https://acme.eu.ada.support.elsewhere.example/x',
    'https://acme.eu.ada.support@elsewhere.example/x',
    'https://acme.ada.support/x',
    'http://acme.eu.ada.support/x',
    'https://acme.eu.ada.support:8443/x',
    'ftp://acme.eu.ada.support/x',
    'file:///etc/passwd',
    'https://',
  ])('is refused on another host, port or scheme: %s', (named) => {
    expect(() => nextPath(named, origin, current)).toThrow(/another host|never end/)
    expect(() => nextPath(named, origin, current)).toThrow(expect.objectContaining({ name: 'UsageError' }))
  })

  test('is refused if it is the page itself: the export would never end', () => {
    expect(() => nextPath(`${origin}${current}`, origin, current)).toThrow(/never end/)
  })
})
