import { existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Stop } from '../../src/system/stop.js'
import { answer, page, record, refusal, scene, serving } from './scripted-export.js'

const records = Array.from({ length: 9 }, (_, nth) => record(nth))
const pages = [records.slice(0, 4), records.slice(3, 7), records.slice(6)]

test('pages come into one file, in order, and a record that repeats at a page edge is dropped', async () => {
  const stage = scene()
  await expect(stage.run(serving(pages))).resolves.toMatchObject({
    records: 9,
    pages: 3,
    queries: 1,
    queriesAll: 1,
  })
  expect(stage.records()).toEqual(records)
  expect(readdirSync(stage.directory)).toEqual(['export.jsonl.gz'])
})

test.each([
  ['data', (data: unknown[], next: string | null) => ({ data, meta: { next_page_uri: next } })],
  ['items', (items: unknown[], next: string | null) => ({ items, meta: { next_page_uri: next } })],
  ['v1.4', (data: unknown[], next: string | null) => ({ message: 'Success', data, next_page_uri: next })],
  [
    'absolute',
    (data: unknown[], next: string | null) => ({
      data,
      meta: { next_page_uri: next && `https://acme.ada.support${next}` },
    }),
  ],
  [
    'no meta at the end',
    (data: unknown[], next: string | null) => (next ? { data, meta: { next_page_uri: next } } : { data }),
  ],
])('the envelope %s is understood', async (_name, wrap) => {
  const stage = scene()
  await stage.run((_path, nth) =>
    answer(
      200,
      nth === 1
        ? wrap(records.slice(0, 2), '/api/v2/export/conversations?cursor=2')
        : wrap(records.slice(2), null),
    ),
  )
  expect(stage.records()).toEqual(records)
})

test('a record that was updated between two pages is kept both times', async () => {
  const stage = scene()
  const updated = record(1, { date_updated: '2026-10-01T08:00:00.000000' })
  const changed = record(2, { record_last_updated: '2026-10-01T08:00:00.000000' })
  await stage.run(serving([records.slice(0, 3), [updated, changed, record(1)]]))
  expect(stage.records()).toEqual([...records.slice(0, 3), updated, changed])
})

test('what is no record, or has no ID, is kept for the source to complain about', async () => {
  const stage = scene()
  const odd = [null, 'text', { language: 'fr' }, { language: 'de' }, { _id: null }, { id: '7' }, { id: '7' }]
  await stage.run(serving([odd]))
  expect(stage.records()).toEqual(odd.slice(0, 6))
})

test('nothing to download gives a valid file without anything in it', async () => {
  const stage = scene()
  await expect(stage.run(serving([[]]))).resolves.toMatchObject({ records: 0, pages: 1 })
  expect(gunzipSync(readFileSync(stage.output)).toString()).toBe('')
})

test('a long span is asked for in queries of 60 days, one after another', async () => {
  const stage = scene()
  const toMs = Date.UTC(2026, 10, 1)
  const span = { by: 'created', fromMs: toMs - 150 * 86_400_000, toMs } as const
  let nth = 0
  await expect(stage.run(() => page([record(nth++)], null), { span })).resolves.toMatchObject({
    records: 3,
    queries: 3,
    queriesAll: 3,
  })
  const bounds = stage.asked.map((path) => {
    const parameters = new URL(path, 'https://acme.ada.support').searchParams
    return [parameters.get('created_since'), parameters.get('created_to')]
  })
  expect(bounds).toEqual([
    ['2026-06-04T00:00:00.000Z', '2026-08-03T00:00:00.000Z'],
    ['2026-08-03T00:00:00.000Z', '2026-10-02T00:00:00.000Z'],
    ['2026-10-02T00:00:00.000Z', '2026-11-01T00:00:00.000Z'],
  ])
})

describe('what goes wrong', () => {
  test.each([
    ['429', refusal(429, 'Too many requests')],
    ['429 with Retry-After', answer(429, undefined, 30_000)],
    ['500', refusal(500, 'Internal server error')],
    ['503 as HTML', answer(503, '<html>')],
    ['a page that is cut off', answer(200, '{"data":[{"_id":"66f')],
    ['a page without records', answer(200, { message: 'OK' })],
    ['a lost connection', { kind: 'lost', reason: 'connection_lost', message: 'other side closed' } as const],
    ['nobody there', { kind: 'unreachable', message: 'ECONNREFUSED' } as const],
  ])('%s is tried again', async (_name, wrong) => {
    const stage = scene()
    const right = serving(pages)
    await stage.run((path, nth) => (nth === 2 || nth === 3 ? wrong : right(path)))
    expect(stage.records()).toEqual(records)
    expect(stage.asked).toHaveLength(5)
    expect(stage.asked[1]).toBe(stage.asked[2])
  })

  test('five times no is enough; what is there stays, and the next download goes on', async () => {
    const stage = scene()
    const right = serving(pages)
    const stopped = stage.run((path, nth) => (nth === 1 ? right(path) : refusal(503, 'Service unavailable')))
    await expect(stopped).rejects.toMatchObject({
      name: 'ExportRefusedError',
      message: 'Service unavailable',
    })
    expect(stage.asked).toHaveLength(6)
    expect(existsSync(stage.output), 'a file that is not whole').toBe(false)
    stage.asked.length = 0
    await stage.run(right)
    expect(stage.asked).toHaveLength(2)
    expect(stage.records()).toEqual(records)
  })

  test('403 is explained as the missing add-on, and not tried again', async () => {
    const stage = scene()
    const stopped = stage.run(() => refusal(403, 'Forbidden'))
    await expect(stopped).rejects.toMatchObject({
      name: 'ExportRefusedError',
      message: expect.stringContaining('add-on'),
    })
    expect(stage.asked).toHaveLength(1)
  })

  test('401 is the key when a harmless call confirms it, and not tried again', async () => {
    const stage = scene()
    await expect(stage.run(() => refusal(401, 'Unauthorized'))).rejects.toMatchObject({
      name: 'KeyRefusedError',
    })
    expect(stage.asked).toHaveLength(2)
  })

  test('a next page on another host is refused', async () => {
    const stage = scene()
    const stopped = stage.run(() =>
      page(records, 'https://elsewhere.example/api/v2/export/conversations?cursor=1'),
    )
    await expect(stopped).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('elsewhere.example'),
    })
    expect(stage.asked).toHaveLength(1)
  })

  test('a page that names itself as the next does not make an endless export', async () => {
    const stage = scene()
    await expect(stage.run((path) => page(records, path))).rejects.toThrow(/never end/)
  })
})

describe('a download that is gone on with', () => {
  const killedAt = async (stage: ReturnType<typeof scene>, nth: number, served = pages) => {
    const right = serving(served)
    const stop = new Stop()
    const stopped = stage.run(
      (path, calls) => {
        if (calls === nth) stop.request({ exitCode: 130, because: 'SIGINT' })
        return right(path)
      },
      { stop },
    )
    await expect(stopped).rejects.toMatchObject({ name: 'Stopped' })
    stage.asked.length = 0
  }

  test.each([1, 2])('after page %i asks for what is missing only', async (nth) => {
    const stage = scene()
    await killedAt(stage, nth)
    await stage.run(serving(pages))
    expect(stage.asked).toHaveLength(3 - nth)
    expect(stage.records()).toEqual(records)
  })

  test.each([400, 404, 410, 422])(
    'whose cursor is not known any more (%i) asks the query anew, and every record is there once',
    async (status) => {
      const stage = scene()
      await killedAt(stage, 2)
      const right = serving(pages)
      const numbers = await stage.run((path, nth) =>
        nth === 1 ? refusal(status, 'Unknown cursor') : right(path),
      )
      expect(stage.records()).toEqual(records)
      expect(numbers.records).toBe(9)
    },
  )

  test('keeps the queries before the one whose cursor is gone', async () => {
    const stage = scene()
    const toMs = Date.UTC(2026, 10, 1)
    const span = { by: 'updated', fromMs: toMs - 100 * 86_400_000, toMs } as const
    const cursorPath = '/api/v2/export/conversations?cursor=1'
    const stop = new Stop()
    const stopped = stage.run(
      (_path, nth) => {
        if (nth === 2) stop.request({ exitCode: 130, because: 'SIGINT' })
        return nth === 1 ? page(records.slice(0, 3), null) : page(records.slice(2, 5), cursorPath)
      },
      { span, stop },
    )
    await expect(stopped).rejects.toMatchObject({ name: 'Stopped' })
    stage.asked.length = 0
    await stage.run(
      (path) => {
        if (path === cursorPath && stage.asked.length === 1) return refusal(410, 'Gone')
        return path === cursorPath ? page(records.slice(4), null) : page(records.slice(2, 5), cursorPath)
      },
      { span },
    )
    expect(stage.asked).toHaveLength(3)
    expect(stage.records()).toEqual(records)
  })

  test('gives up when the cursor of the new query is not known either', async () => {
    const stage = scene()
    await killedAt(stage, 1)
    const right = serving(pages)
    const stopped = stage.run((path) =>
      path.includes('cursor') ? refusal(400, 'Unknown cursor') : right(path),
    )
    await expect(stopped).rejects.toMatchObject({ name: 'ExportRefusedError' })
    expect(stage.asked.length).toBeLessThan(5)
  })

  test('still is of the span that it began with', async () => {
    const stage = scene()
    await killedAt(stage, 1)
    const later = { by: 'updated', fromMs: 1, toMs: 2 } as const
    await stage.run(serving(pages), { span: later })
    expect(stage.records()).toEqual(records)
  })

  test('is not mixed with another export', async () => {
    const stage = scene()
    await killedAt(stage, 1)
    await expect(stage.run(serving(pages), { asked: '90d' })).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('another export (30d)'),
    })
    expect(stage.asked).toEqual([])
  })

  test.each([
    ['its standing is no JSON', (output: string) => writeFileSync(`${output}.part.json`, '{"asked":')],
    ['its part is shorter than its standing says', (output: string) => truncateSync(`${output}.part`, 10)],
  ])('is refused with a sentence when %s', async (_name, damage) => {
    const stage = scene()
    await killedAt(stage, 1)
    damage(stage.output)
    await expect(stage.run(serving(pages))).rejects.toMatchObject({
      name: 'UsageError',
      message: expect.stringContaining('damaged'),
    })
  })

  test.each(['.part', '.part.json'])('begins anew when %s was removed', async (ending) => {
    const stage = scene()
    await killedAt(stage, 2)
    rmSync(`${stage.output}${ending}`)
    await stage.run(serving(pages))
    expect(stage.asked).toHaveLength(3)
    expect(stage.records()).toEqual(records)
  })

  test('begins later when the history has moved on meanwhile', async () => {
    const stage = scene()
    const toMs = Date.UTC(2026, 10, 1)
    const span = { by: 'updated', fromMs: toMs - 364 * 86_400_000, toMs } as const
    await expect(stage.run(() => refusal(503, 'Service unavailable'), { span })).rejects.toThrow()
    stage.clock.nowMs += 10 * 86_400_000
    stage.asked.length = 0
    await stage.run(serving([records]), { span })
    expect(stage.asked[0]).toContain('updated_since=2025-11-11T')
  })
})
