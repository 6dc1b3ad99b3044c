import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  checkpoint,
  copyOf,
  ids,
  lines,
  named,
  rechained,
  report,
  run,
  settings,
  summary,
  wrongs,
} from './verify-recorded-run.js'

test('of a run that nobody touched all is right', async () => {
  const verification = await run.verify({
    ids: { files: [{ name: 'stale.csv', path: run.input }], settings },
  })
  expect(wrongs(verification)).toEqual({})
  expect(verification.checks.map(({ name }) => name)).toEqual([
    ...['chain', 'head', 'lines', 'asked', 'totals', 'input', 'complete', 'hold', 'ids', 'report'],
  ])
  expect(verification.lines).toBe(lines.length)
  expect(verification.head).toBe(JSON.parse(readFileSync(summary, 'utf8')).checkpointHead)
  expect(lines.length).toBeGreaterThan(15)
})

type Edit = (all: readonly string[], at: number) => string[]

/** A year later; the line is as long as before, and as well formed. */
const changed = (line: string) => line.replace(/"at":"20../, '"at":"2999').replace(/"calls":/, '"calls":1')
const otherHash = (line: string) => line.replace(/(?<="prev":")[0-9a-f]{8}/, 'deadbeef')

/** Every kind of edit of a line. */
const edits: [name: string, edit: Edit][] = [
  ['changed', (all, at) => all.toSpliced(at, 1, changed(all[at]!))],
  ['dropped', (all, at) => all.toSpliced(at, 1)],
  ['doubled', (all, at) => all.toSpliced(at, 0, all[at]!)],
  ['swapped with the next', (all, at) => all.toSpliced(at, 2, ...all.slice(at, at + 2).reverse())],
  ['truncated', (all, at) => all.toSpliced(at, 1, `${all[at]!.slice(0, 40)}\n`)],
  ['truncated with its line end', (all, at) => all.toSpliced(at, 1, all[at]!.slice(0, 40))],
  ['given another hash', (all, at) => all.toSpliced(at, 1, otherHash(all[at]!))],
  ['preceded by a line from elsewhere', (all, at) => all.toSpliced(at, 0, all[(at + 5) % all.length]!)],
  ['preceded by an empty line', (all, at) => all.toSpliced(at, 0, '\n')],
  ['followed by the end of the file', (all, at) => all.slice(0, at + 1)],
]

test.each(edits)('a line that is %s is found and named, wherever it is', async (_, edit) => {
  for (let at = 0; at < lines.length; at++) {
    const text = edit(lines, at).join('')
    if (text === lines.join('')) continue
    const found = wrongs(await run.verifyWith(checkpoint, () => text))
    const finding = found.chain ?? found.head
    expect(finding, `line ${at + 1}`).toBeDefined()
    expect(Math.abs(named(finding) - (at + 1)), `line ${at + 1}: ${finding}`).toBeLessThanOrEqual(1)
  }
})

test('half a line behind the end of a finished run is found', async () => {
  const found = wrongs(await run.verifyWith(checkpoint, (text) => `${text}{"event":"resu`))
  expect(found.chain).toBe(
    `checkpoint.jsonl: 14 bytes behind line ${lines.length} are no whole line, and the run was finished before.`,
  )
})

test('what may be said of a run from outside is no edit', async () => {
  const from = '"at":"2026-11-22T12:00:00.000Z","by":"kim","host":"ops"'
  const said = [
    `{"event":"paused",${from},"prev":""}\n`,
    `{"event":"throttled",${from},"share":0.5,"limits":null,"prev":""}\n`,
    `{"event":"continued",${from},"prev":""}\n`,
    '{"event":"waited","at":"2026-11-22T12:00:00.000Z","ms":{"calling":12},"prev":""}\n',
  ]
  const text = rechained(lines.toSpliced(-1, 0, ...said))
  expect(Object.keys(wrongs(await run.verifyWith(checkpoint, () => text)))).toEqual(['head'])
})

describe('the kind of edit is told:', () => {
  const chainOf = async (edit: (all: string[]) => string[]) =>
    wrongs(await run.verifyWith(checkpoint, () => edit(lines).join(''))).chain

  test.each<[string, (all: string[]) => string[], string]>([
    ['a copy', (all) => all.toSpliced(4, 0, all[3]!), 'line 5 is a copy of line 4.'],
    ['a swap', (all) => all.toSpliced(3, 2, all[4]!, all[3]!), 'line 4 and line 5 have changed places'],
    ['an addition', (all) => all.toSpliced(3, 0, all[8]!), 'line 4 was added: line 5 follows line 3'],
    [
      'a gap',
      (all) => all.toSpliced(3, 1),
      'line 4 does not follow line 3: line 3 was changed, or lines between them are gone',
    ],
    [
      'a change',
      (all) => all.toSpliced(3, 1, changed(all[3]!)),
      'line 5 does not follow line 4: line 4 was changed, or',
    ],
    ['another hash', (all) => all.toSpliced(3, 1, otherHash(all[3]!)), 'line 4 was changed: neither side'],
    ['a cut', (all) => all.toSpliced(3, 1, `${all[3]!.slice(0, 50)}\n`), 'line 4 was changed or cut short'],
    ['a lost beginning', (all) => all.slice(2), 'line 1 names a line before it: the first lines are gone'],
  ])('%s', async (_, edit, words) => {
    expect(await chainOf(edit)).toContain(words)
  })
})

test('any byte that is changed is found', async () => {
  const bytes = readFileSync(checkpoint)
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, by) => {
      const other = Buffer.from(bytes)
      other[at] = (other[at]! + by) % 256
      writeFileSync(checkpoint, other)
      const found = wrongs(await run.verify())
      expect(found.chain ?? found.head ?? found.lines).toBeDefined()
    }),
    { numRuns: 60 },
  )
  writeFileSync(checkpoint, bytes)
})

describe('somebody who rebuilds the chain', () => {
  const succeeded = (all: readonly string[]) =>
    all.map((line) => (line.includes('not_found') ? line.replace('"failed"', '"succeeded"') : line))

  test('and leaves the summary as it is, is found by it', async () => {
    const found = wrongs(await run.verifyWith(checkpoint, () => rechained(succeeded(lines))))
    expect(found.head).toMatch(/^no line has the hash \w+ that summary\.json names/)
    expect(Object.keys(found)).toEqual(['head', 'totals', 'report'])
  })

  test('and writes the summary and the report to match, is found by the head that was kept elsewhere only', async () => {
    const forged = copyOf(run)
    const { head } = await run.verify()
    const text = rechained(lines.map((line) => line.replace(ids[0]!, ids[0]!.replace('66f2', '66f3'))))
    const path = (name: string) => join(forged.directory, name)
    writeFileSync(path('checkpoint.jsonl'), text)
    const forgedHead = (await forged.verify()).head
    writeFileSync(path('summary.json'), readFileSync(summary, 'utf8').replace(head, forgedHead))
    writeFileSync(path('report.csv'), readFileSync(report, 'utf8').replace('66f2', '66f3'))
    expect(wrongs(await forged.verify({ isInputLeftOut: true }))).toEqual({})
    const found = wrongs(await forged.verify({ isInputLeftOut: true, head }))
    expect(found).toEqual({ head: expect.stringContaining(`no line has the hash ${head}`) })
    // The input knows better, too.
    expect(wrongs(await forged.verify()).complete).toContain(`stale.csv, line 2: it holds ${ids[0]}`)
  })

  const settle = (all: readonly string[]) => all.findIndex((line) => line.startsWith('{"n":0,'))
  test.each<[string, (all: readonly string[]) => readonly string[], RegExp]>([
    [
      'settles an item twice',
      (all) => all.toSpliced(-1, 0, all[settle(all)]!),
      /settles item 0 a second time/,
    ],
    [
      'takes a note away',
      (all) => all.filter((line) => !line.startsWith('{"sent":0,')),
      /was called 1 times, and 0 calls are noted/,
    ],
    [
      'takes an item away',
      (all) => all.toSpliced(settle(all), 1),
      /the run is finished, and 1 items are not settled/,
    ],
    [
      'adds an item',
      (all) => all.toSpliced(-1, 0, all[settle(all)]!.replace('"n":0', '"n":9')),
      /about item 9, and the input has 9/,
    ],
    [
      'adds a call',
      (all) => all.toSpliced(-1, 0, all.find((line) => line.startsWith('{"sent"'))!),
      /which was settled before/,
    ],
    [
      'calls another',
      (all) => all.map((line) => line.replace(/^(\{"n":0,.*"id":"66f)2/, '$13')),
      /settles item 0 as 66f3\w+, and 66f2\w+ was called/,
    ],
    ['has no start', (all) => all.slice(1), /line 1 comes when the run was not at work/],
    ['goes on after the end', (all) => [...all, all[settle(all)]!], /comes when the run was not at work/],
    [
      'invents a status',
      (all) => all.map((line) => line.replace('"status":"succeeded"', '"status":"perfect"')),
      /no usable "status"/,
    ],
    [
      'invents an event',
      (all) => all.toSpliced(2, 0, all[0]!.replace('started', 'blessed')),
      /does not know: "blessed"/,
    ],
    ['forgets a field', (all) => all.map((line) => line.replace(/"ms":\d+,/, '')), /no usable "ms"/],
  ])('and %s, is found by what the lines say', async (_, edit, words) => {
    const found = wrongs(await run.verifyWith(checkpoint, () => rechained(edit(lines))))
    expect(found.chain).toBeUndefined()
    expect(found.lines).toMatch(words)
  })
})
