import { writeFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { answer, page, record, scene } from './scripted-export.js'

const startMs = Date.UTC(2026, 10, 1)

describe('what an API should never say', () => {
  test('a date that is none is no reason to crash, nor to lose the record', async () => {
    const stage = scene()
    // Such an object cannot become a text.
    const odd = { toString: 1, valueOf: null }
    const records = [record(0, { date_updated: odd }), record(1, { record_last_updated: [odd] })]
    await stage.run(() => page(records, null))
    expect(stage.records()).toHaveLength(2)
  })

  test('a record that is nested too deep to be written is refused in words', async () => {
    const deep = JSON.parse(`${'['.repeat(50_000)}${']'.repeat(50_000)}`)
    await expect(scene().run(() => page([record(0), deep], null))).rejects.toThrow(
      expect.objectContaining({
        name: 'ExportRefusedError',
        message: expect.stringMatching(/nested too deep/),
      }),
    )
  })

  test('pages that name each other in a circle come to an end', async () => {
    const stage = scene()
    const cursor = (nth: number) => `/api/v2/export/conversations?cursor=${nth % 3}`
    const circling = stage.run((_path, nth) => page([record(nth)], cursor(nth)))
    await expect(circling).rejects.toThrow(/given before .*: the export would never end/)
    expect(stage.asked.length).toBeLessThan(6)
  })

  test('a success without a page is refused in words', async () => {
    await expect(scene().run(() => answer(204))).rejects.toThrow('an answer without a page')
  })

  test.each([
    ['a list', []],
    ['a text', 'data'],
    ['records in an object', { data: { 0: {} } }],
    ['no meta', { data: [record(0)], meta: null }],
    ['a number as its next page', { data: [record(0)], meta: { next_page_uri: 7 } }],
  ])('%s as a page is none, or the last one', async (_, body) => {
    const ended = await scene()
      .run(() => answer(200, body))
      .catch((error: Error) => error.name)
    expect(['ExportRefusedError', 1]).toContain(typeof ended === 'string' ? ended : ended.records)
  })
})

describe('a note of how far a download came that somebody has changed', () => {
  const standing = {
    ...{ records: 0, pages: 0, queries: 0, queriesAll: 1, asked: '30d', pageSize: 1000, bytes: 0 },
    ...{ path: null, queryBytes: 0, queryRecords: 0 },
    span: { by: 'updated', fromMs: startMs - 30 * 86_400_000, toMs: startMs },
  }
  test.each<[string, object | null]>([
    ['the span', { span: null }],
    ['a span without a beginning', { span: { ...standing.span, fromMs: -1e308 } }],
    ['where it goes on', { path: 5 }],
    ['where it goes on, elsewhere', { path: 'https://evil.example/' }],
    ['how many queries there are', { queriesAll: 'many' }],
    ['the number of bytes', { bytes: -1 }],
    ['everything', null],
  ])('%s: it is refused, and says what to remove', async (_, change) => {
    const stage = scene()
    writeFileSync(`${stage.output}.part`, '')
    writeFileSync(`${stage.output}.part.json`, JSON.stringify(change && { ...standing, ...change }))
    await expect(stage.run(() => page([record(0)], null))).rejects.toThrow(
      /\.part\.json is damaged\. Remove both/,
    )
    expect(stage.asked).toEqual([])
  })
})
