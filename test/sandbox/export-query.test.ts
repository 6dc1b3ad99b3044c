import { describe, expect, test } from 'vitest'
import { StillClock, sandboxWith } from './client.js'
import { conversations, daysAgo, iso, messages, naive, query, read } from './exports.js'

describe('parameters that are refused', () => {
  const since = { created_since: iso(daysAgo(10)) }
  const yearAgoMs = Date.UTC(2025, 10, 2, 9, 30)
  const table: [string, string, Record<string, string | number>, string][] = [
    ['no date', conversations, {}, 'created_since'],
    ['an upper bound alone', conversations, { created_to: iso(daysAgo(1)) }, 'created_since'],
    ['both dates', conversations, { ...since, updated_since: iso(daysAgo(10)) }, 'updated_since'],
    ['the other upper bound', conversations, { ...since, updated_to: iso(daysAgo(5)) }, 'updated_to'],
    ['a lower bound without Z', conversations, { updated_since: naive(daysAgo(3)) }, 'updated_since'],
    ['an offset for Z', conversations, { created_since: '2026-10-01T00:00:00+00:00' }, 'created_since'],
    ['a date without a time', conversations, { created_since: '2026-10-01' }, 'created_since'],
    ['an hour that is none', conversations, { created_since: '2026-10-01T25:00:00Z' }, 'created_since'],
    ['an upper bound without Z', conversations, { ...since, created_to: naive(daysAgo(3)) }, 'created_to'],
    [
      'an upper bound before the lower',
      conversations,
      { ...since, created_to: iso(daysAgo(11)) },
      'created_to',
    ],
    [
      'more than 60 days',
      conversations,
      { updated_since: iso(daysAgo(90)), updated_to: iso(daysAgo(30) + 1) },
      'updated_to',
    ],
    ['more than 12 months ago', conversations, { created_since: iso(yearAgoMs - 1) }, 'created_since'],
    ['pages that are too small', conversations, { ...since, page_size: 99 }, 'page_size'],
    ['pages that are too large', conversations, { ...since, page_size: 10_001 }, 'page_size'],
    ['a page size that is no number', conversations, { ...since, page_size: '1e3' }, 'page_size'],
    ['a cursor of its own', conversations, { ...since, cursor: 'bm9uZQ' }, 'cursor'],
    ['messages without a date', messages, {}, 'created_since'],
    ['messages by their update', messages, { updated_since: iso(daysAgo(3)) }, 'updated_since'],
  ]
  test.each(table)('%s', async (_, path, parameters, wrong) => {
    const sandbox = await sandboxWith({ clock: new StillClock() })
    const { status, body } = await read(sandbox, query(path, parameters))
    expect([status, body.errors[0].type]).toEqual([400, 'validation_error'])
    expect(body.errors[0].details).toEqual([
      { parameter: wrong, location: 'query', message: expect.any(String) },
    ])
  })

  test.each([
    [{ updated_since: iso(daysAgo(90)), updated_to: iso(daysAgo(30)) }],
    [{ created_since: iso(yearAgoMs) }],
    [{ ...since, page_size: 100 }],
    [{ ...since, page_size: 10_000 }],
    [{ created_since: '2026-10-01T00:00:00.123456Z' }],
  ])('%j is just within the bounds', async (parameters) => {
    const sandbox = await sandboxWith({ clock: new StillClock() })
    expect((await read(sandbox, query(conversations, parameters))).status).toBe(200)
  })
})
