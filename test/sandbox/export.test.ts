import { describe, expect, test } from 'vitest'
import { call, end, StillClock, sandboxWith } from './client.js'
import {
  conversations,
  daysAgo,
  exporting,
  hourMs,
  idOf,
  idsOf,
  iso,
  messages,
  naive,
  nowMs,
  pagesOf,
  query,
  read,
} from './exports.js'
import type { Sandbox, SandboxOptions } from './sandboxes.js'

const id = '66f0b7d24c19a3e85d7b9a14'

async function idsSince(sandbox: Sandbox, parameters: Record<string, string>): Promise<string[]> {
  return (await pagesOf(sandbox, query(conversations, parameters))).flatMap(idsOf)
}

describe('the export of conversations', () => {
  test('is empty where none was added, and every ID exists all the same', async () => {
    const sandbox = await exporting()
    expect(await read(sandbox, query(conversations, { created_since: iso(daysAgo(1)) }))).toEqual({
      status: 200,
      body: { data: [], meta: { next_page_uri: null } },
    })
    expect((await end(sandbox, id)).status).toBe(200)
  })

  test('gives what was added, with dates that do not say that they are UTC', async () => {
    const sandbox = await exporting()
    const [createdAtMs, updatedAtMs] = [daysAgo(2) + 789, daysAgo(1)]
    const fields = { language: 'fr', variables: { plan: 'plus' }, platform: undefined }
    sandbox.state.conversations.add({ id, createdAtMs, updatedAtMs, fields })
    const { body } = await read(sandbox, query(conversations, { created_since: iso(daysAgo(7)) }))
    const [record] = body.data
    expect(record).toMatchObject({
      _id: id,
      date_created: '2026-10-31T09:30:00.789000',
      date_updated: '2026-11-01T09:30:00.000000',
      record_last_updated: '2026-11-01T09:30:00.000000',
      language: 'fr',
      variables: { plan: 'plus' },
      is_escalated: false,
      chatter_id: expect.stringMatching(/^[0-9a-f]{24}$/),
    })
    for (const absent of ['platform', 'status', 'ended_at', 'channel'])
      expect(record).not.toHaveProperty(absent)
    expect((await read(sandbox, query(conversations, { created_since: iso(daysAgo(7)) }))).body).toEqual(body)
  })

  test('takes the lower bound in and leaves the upper out, of the date that was asked for', async () => {
    const sandbox = await exporting()
    const [fromMs, toMs] = [daysAgo(20), daysAgo(10)]
    for (const [nth, atMs] of [fromMs - 1, fromMs, toMs - 1, toMs].entries()) {
      sandbox.state.conversations.add({ id: idOf(nth), createdAtMs: atMs, updatedAtMs: daysAgo(5) })
      sandbox.state.conversations.add({ id: idOf(10 + nth), createdAtMs: daysAgo(50), updatedAtMs: atMs })
    }
    const created = { created_since: iso(fromMs), created_to: iso(toMs) }
    expect(await idsSince(sandbox, created)).toEqual([idOf(1), idOf(2)])
    const updated = { updated_since: iso(fromMs), updated_to: iso(toMs) }
    expect(await idsSince(sandbox, updated)).toEqual([idOf(11), idOf(12)])
  })

  test('ends seven days on unless told otherwise', async () => {
    const sandbox = await exporting()
    for (const [nth, atMs] of [daysAgo(30), daysAgo(23) - 1, daysAgo(23)].entries()) {
      sandbox.state.conversations.add({ id: idOf(nth), createdAtMs: atMs })
    }
    expect(await idsSince(sandbox, { created_since: iso(daysAgo(30)) })).toEqual([idOf(0), idOf(1)])
    expect(await idsSince(sandbox, { updated_since: iso(daysAgo(30)) })).toEqual([idOf(0), idOf(1)])
  })

  test('is ordered by the date that was asked for, then by ID', async () => {
    const sandbox = await exporting()
    const moments = [
      [4, daysAgo(3), daysAgo(1)],
      [2, daysAgo(3), daysAgo(2)],
      [1, daysAgo(2), daysAgo(2)],
      [3, daysAgo(4), daysAgo(2)],
    ] as const
    for (const [nth, createdAtMs, updatedAtMs] of moments) {
      sandbox.state.conversations.add({ id: idOf(nth), createdAtMs, updatedAtMs })
    }
    const since = iso(daysAgo(5))
    expect(await idsSince(sandbox, { created_since: since })).toEqual([3, 2, 4, 1].map(idOf))
    expect(await idsSince(sandbox, { updated_since: since })).toEqual([1, 2, 3, 4].map(idOf))
  })
})

describe('pages', () => {
  /** Two created at each moment, so that pages also end between two of the same moment. */
  async function withTwenty(options: SandboxOptions = {}) {
    const sandbox = await exporting(options)
    for (let nth = 0; nth < 20; nth += 1) {
      const createdAtMs = daysAgo(6) + Math.floor(nth / 2) * hourMs
      sandbox.state.conversations.add({ id: idOf(nth), createdAtMs })
    }
    return sandbox
  }
  const all = Array.from({ length: 20 }, (_, nth) => idOf(nth))
  const since = { created_since: iso(daysAgo(7)) }

  test.each([2, 7, 20, 21])(
    'of %i hold all records, and begin with the last of the one before',
    async (pageSize) => {
      const sandbox = await withTwenty()
      const pages = await pagesOf(sandbox, query(conversations, { ...since, page_size: pageSize }))
      for (const [index, page] of pages.slice(1).entries()) {
        expect(page[0]).toEqual(pages[index]!.at(-1))
        expect(page.length).toBeGreaterThan(1)
      }
      expect(pages.every(({ length }) => length <= pageSize)).toBe(true)
      expect([...new Set(pages.flatMap(idsOf))]).toEqual(all)
      expect(pages.flatMap(idsOf)).toHaveLength(all.length + pages.length - 1)
    },
  )

  test('of one are never a repetition, or a client would not get on', async () => {
    const pages = await pagesOf(await withTwenty(), query(conversations, { ...since, page_size: 1 }))
    expect(pages.flatMap(idsOf)).toEqual(all)
  })

  test('name the next one by a path, or on another host', async () => {
    const uris: string[] = []
    for (const nextPageOrigin of ['', 'https://elsewhere.example']) {
      const sandbox = await withTwenty({ nextPageOrigin })
      const { body } = await read(sandbox, query(conversations, { ...since, page_size: 15 }))
      uris.push(body.meta.next_page_uri)
      const next = new URL(body.meta.next_page_uri, sandbox.url)
      const rest = await read(sandbox, next.pathname + next.search)
      expect(idsOf(rest.body.data)).toEqual(all.slice(14))
    }
    expect(uris[0]).toMatch(/^\/api\/v2\/export\/conversations\?created_since=.*&page_size=15&cursor=/)
    expect(uris[1]).toBe(`https://elsewhere.example${uris[0]}`)
  })

  test('miss nothing that stays within the bounds when others are updated meanwhile', async () => {
    const sandbox = await withTwenty()
    // idOf(7) is the last of the first page, where the second would begin.
    const parameters = { updated_since: iso(daysAgo(7)), updated_to: iso(daysAgo(5)), page_size: 8 }
    const { body } = await read(sandbox, query(conversations, parameters))
    for (const touched of [idOf(0), idOf(7), idOf(12)]) sandbox.state.conversations.touch(touched, nowMs)
    const rest = await pagesOf(sandbox, body.meta.next_page_uri)
    expect([...new Set(rest.flatMap(idsOf))]).toEqual(all.slice(8).filter((each) => each !== idOf(12)))
    expect(await idsSince(sandbox, { updated_since: iso(daysAgo(1)) })).toEqual([idOf(0), idOf(7), idOf(12)])
  })
})

describe('the export of messages', () => {
  test('names the conversation of each, which repeats', async () => {
    const sandbox = await exporting()
    sandbox.state.conversations.add({ id: idOf(1), createdAtMs: daysAgo(6), updatedAtMs: daysAgo(4) })
    sandbox.state.conversations.add({ id: idOf(2), createdAtMs: daysAgo(5), updatedAtMs: daysAgo(5) })
    const since = query(messages, { created_since: iso(daysAgo(7)), page_size: 3 })
    const records = async () => [
      ...new Map((await pagesOf(sandbox, since)).flat().map((record) => [record._id, record])).values(),
    ]
    expect((await records()).map(({ conversation_id }) => conversation_id)).toEqual([1, 2, 2, 1].map(idOf))
    sandbox.state.conversations.touch(idOf(2), daysAgo(3))
    await end(sandbox, idOf(2))
    const later = await records()
    expect(later).toHaveLength(5)
    expect(later.at(-1)).toMatchObject({ conversation_id: idOf(2), date_created: naive(daysAgo(3)) })
    expect(idsOf(later)).not.toContain(idOf(2))
  })
})

describe('the middleware of the export', () => {
  const since = query(conversations, { created_since: iso(daysAgo(1)) })
  const statuses = async (sandbox: Sandbox, path: string, count: number) => {
    const received: number[] = []
    while (received.length < count) received.push((await call(sandbox, 'GET', path)).status)
    return received
  }

  test('lets 10 a second in and 100 a minute, apart from the calls for conversations', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock, limits: [{ max: 1, perMs: 60_000 }] })
    expect(await statuses(sandbox, since, 11)).toEqual([...Array(10).fill(200), 429])
    expect((await end(sandbox, id)).status).toBe(200)
    expect((await end(sandbox, idOf(1))).status).toBe(429)
    for (let second = 1; second < 10; second += 1) {
      clock.pass(1_000)
      expect(await statuses(sandbox, since, 10)).toEqual(Array(10).fill(200))
    }
    clock.pass(1_000)
    const { status, headers } = await call(sandbox, 'GET', since)
    expect([status, headers.get('retry-after')]).toEqual([429, '50'])
    expect([sandbox.state.arrived, sandbox.state.rateLimited]).toEqual([104, 3])
  })

  test('refuses where the add-on is missing', async () => {
    const sandbox = await exporting({ dataExport: false })
    for (const path of [since, conversations, messages]) {
      const { status, body } = await read(sandbox, path)
      expect([status, body.errors[0].message]).toEqual([403, 'Data Export is not enabled for this instance'])
    }
    expect((await end(sandbox, id)).status).toBe(200)
  })

  test('knows no way but to read', async () => {
    const sandbox = await exporting()
    for (const path of [conversations, messages]) expect((await call(sandbox, 'POST', path)).status).toBe(405)
  })

  test('meets the faults and the outage that the rest of the API meets', async () => {
    const clock = new StillClock()
    const shaky = await exporting({ errorRate: 0.2, dropRate: 0.2 })
    const received = new Set(await statuses(shaky, since, 100))
    expect(received).toEqual(new Set([200, 0, 500, 502, 503]))
    const down = await exporting({ clock, outage: { afterMs: 5_000, forMs: 10_000 } })
    await end(down, id)
    clock.pass(5_000)
    expect(new Set(await statuses(down, since, 20))).toEqual(new Set([0, 503]))
    clock.pass(10_000)
    expect(await statuses(down, since, 1)).toEqual([200])
  })
})
