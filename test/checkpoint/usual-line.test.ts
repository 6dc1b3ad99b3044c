import fc from 'fast-check'
import { expect, test } from 'vitest'
import { usualLine } from '../../src/checkpoint/usual-line.js'

const prev = '5b5936bb10a713c5973b625a9b70bb43c97664ce93aba35e8e203ce1ccc78437'
const usual = usualLine({ look: 'count', id: 'text', http: 'httpStatus', at: 'moment' })

const fields = fc.record({
  look: fc.nat(),
  id: fc.oneof(fc.string(), fc.string({ unit: 'binary' })),
  http: fc.option(fc.integer({ min: 100, max: 599 })),
  at: fc
    .date({ min: new Date(0), max: new Date('2200-01-01'), noInvalidDate: true })
    .map((at) => at.toISOString()),
})

/** As `usual` gives it, by the certain way. */
function parsed(line: string): string[] | null {
  try {
    const { look, id, http, at } = JSON.parse(line)
    return [look, id, http, at].map(String)
  } catch {
    return null
  }
}

test('a line is read as JSON.parse reads it, or not at all', () => {
  let read = 0
  fc.assert(
    fc.property(fields, (fields) => {
      const line = JSON.stringify({ ...fields, prev })
      const found = usual(line)
      if (found === null) expect(JSON.stringify(fields.id)).toContain('\\')
      else expect(found.slice(1)).toEqual(parsed(line))
      if (found !== null) read += 1
    }),
  )
  expect(read).toBeGreaterThan(0)
})

test('a line in which anything was changed is not read otherwise than JSON.parse reads it', () => {
  const line = JSON.stringify({
    look: 17,
    id: '66f2a91c4be0',
    http: 200,
    at: '2026-11-22T20:02:46.635Z',
    prev,
  })
  const change = fc.record({
    at: fc.nat(line.length),
    cut: fc.nat(2),
    put: fc.string({ unit: fc.constantFrom('"', ',', ':', '}', '0', '7', ' ', '\n', 'é'), maxLength: 2 }),
  })
  fc.assert(
    fc.property(change, ({ at, cut, put }) => {
      const changed = line.slice(0, at) + put + line.slice(at + cut)
      const found = usual(changed)
      const isHash = at > line.indexOf('"prev":"') + 7 && at + cut <= line.length - 2
      if (found !== null && !isHash) expect(found.slice(1)).toEqual(parsed(changed))
    }),
    { numRuns: 2000 },
  )
})

test.each([
  ['another order', '{"id":"66f2","look":1,"http":null,"at":"2026-11-22T20:02:46.635Z"'],
  ['a field more', '{"look":1,"id":"66f2","http":null,"at":"2026-11-22T20:02:46.635Z","message":""'],
  ['a field less', '{"look":1,"id":"66f2","http":null'],
])('%s is left to JSON.parse', (_, beginning) => {
  expect(usual(`${beginning},"prev":"${prev}"}`)).toBe(null)
})
