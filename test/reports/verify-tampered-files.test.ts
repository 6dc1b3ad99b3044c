import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { htmlReport } from '../../src/reports/html.js'
import { version } from '../../src/system/host.js'
import {
  checkpoint,
  copyOf,
  ids,
  lines,
  named,
  type Recorded,
  rechained,
  recordRun,
  report,
  run,
  settings,
  summary,
  wrongs,
} from './verify-recorded-run.js'

describe('summary.json', () => {
  const numbers = () =>
    [...readFileSync(summary, 'utf8').matchAll(/^ {4}"(\w+)": (\d+)/gm)].filter(
      ([, name]) => name !== 'bytes',
    )

  test('with any of its numbers changed is found, and the number named', async () => {
    expect(numbers().length).toBeGreaterThan(10)
    for (const [line, name, number] of numbers()) {
      const found = wrongs(
        await run.verifyWith(summary, (text) => text.replace(line, `    "${name}": ${Number(number) + 1}`)),
      )
      expect(found.totals).toMatch(
        new RegExp(
          `summary.json: \\w+\\.${name} is ${Number(number) + 1}, and the checkpoint comes to ${number} `,
        ),
      )
    }
  })

  test.each<[string, [string | RegExp, string], string, RegExp]>([
    [
      'another exit code',
      [/"exitCode": 3/, '"exitCode": 0'],
      'totals',
      /exitCode is 0 \(finished\), and line \d+ .* ends with 3/,
    ],
    [
      'another head',
      [/"checkpointHead": "..../, '"checkpointHead": "dead'],
      'head',
      /no line has the hash dead\w+/,
    ],
    [
      'another instance',
      ['127.0.0.1', '127.0.0.2'],
      'asked',
      /instance is http:\/\/127\.0\.0\.1.*says http:\/\/127\.0\.0\.2/,
    ],
    [
      'another input',
      [/"sha256": "..../, '"sha256": "dead'],
      'asked',
      /input is .* and summary.json says dead/,
    ],
  ])('with %s is found', async (_, [from, to], check, words) => {
    expect(wrongs(await run.verifyWith(summary, (text) => text.replace(from, to)))).toEqual({
      [check]: expect.stringMatching(words),
    })
  })

  test('that is gone, or no summary, is found', async () => {
    for (const edit of [() => null, () => 'hello', () => 'null', () => '{}'])
      expect(wrongs(await run.verifyWith(summary, edit)).head).toMatch(/summary\.json/)
  })
})

describe('report.csv', () => {
  test('with a character changed, taken away or added anywhere is found, and the line named', async () => {
    const text = readFileSync(report, 'utf8')
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length - 1), fc.constantFrom('', 'x', 'xy'), async (at, put) => {
        fc.pre(text.at(at) !== put)
        const found = wrongs(await run.verifyWith(report, () => text.slice(0, at) + put + text.slice(at + 1)))
        const line = text.slice(0, at).split('\n').length
        // Where the same characters follow each other, the difference shows behind them.
        expect(Math.abs(named(found.report) - line)).toBeLessThanOrEqual(1)
        expect(Object.keys(found)).toEqual(['report'])
      }),
      { numRuns: 40 },
    )
  })

  test.each<[string, (text: string) => string | null]>([
    ['cut off', (text) => text.slice(0, -40)],
    [
      'cut off at a line end',
      (text) =>
        text
          .split(/(?<=\n)/)
          .slice(0, -1)
          .join(''),
    ],
    ['longer by a line', (text) => `${text}${ids[0]},succeeded,ended,200,1,,,,stale.csv,99\n`],
    ['empty', () => ''],
    ['gone', () => null],
  ])('that is %s is found', async (_, edit) => {
    expect(wrongs(await run.verifyWith(report, edit))).toEqual({
      report: expect.stringContaining('report.csv'),
    })
  })

  test('is not the only one: another format in the directory is compared, too', async () => {
    const copy = copyOf(run)
    writeFileSync(join(copy.directory, 'report.jsonl'), '{}\n')
    expect(wrongs(await copy.verify()).report).toMatch(/^report\.jsonl, line 1: not what the checkpoint says/)
  })
})

describe('report.html', () => {
  const generator = `<meta name="generator" content="ada-bulk ${version}">`
  /** The run as it was recorded and its page as it was written by two versions, with another word in the page. */
  const found = async (recordedBy: string, writtenBy: string, recorded: Recorded = copyOf(run)) => {
    const as = (by: string) => (line: string) => line.replace(`"version":"${version}"`, `"version":"${by}"`)
    writeFileSync(join(recorded.directory, 'checkpoint.jsonl'), rechained(lines.map(as(recordedBy))))
    const page = join(recorded.directory, 'report.html')
    const text = readFileSync(page, 'utf8')
    expect(text).toContain(generator)
    writeFileSync(
      page,
      text.replace(generator, generator.replace(version, writtenBy)).replace('Calls', 'Hits'),
    )
    return (await recorded.verify({ reports: [htmlReport] })).checks.at(-1)
  }

  test('with a word changed is found, whoever has recorded the run', async () => {
    for (const recordedBy of [version, '0.9.9'])
      expect(await found(recordedBy, version)).toMatchObject({
        isRight: false,
        finding: expect.stringMatching(/^report\.html, line \d+: not what the checkpoint says/),
      })
  })

  test('of another version is not compared', async () => {
    expect(await found('0.9.9', '0.9.9')).toMatchObject({
      isRight: null,
      finding: expect.stringMatching(/^report\.html was written by ada-bulk 0\.9\.9 and is not compared; /),
    })
  })

  test.skipIf(version === '0.1.0')('cannot hide a change behind the name of another version', async () => {
    expect(await found(version, '0.9.9')).toMatchObject({ isRight: false })
  })
})

describe('run.json', () => {
  const runFile = () => join(run.directory, 'run.json')

  test.each<[string, [string | RegExp, string], string, RegExp]>([
    [
      'another fingerprint',
      [/"sha256": "..../, '"sha256": "dead'],
      'input',
      /stale\.csv .* is another file than the run has read/,
    ],
    ['another instance', ['127.0.0.1', '127.0.0.2'], 'asked', /instance is/],
    [
      'another job',
      ['"end-list"', '"end-others"'],
      'asked',
      /job is end-others, and summary.json says end-list/,
    ],
    ['another start', [/"startedAt": "20../, '"startedAt": "1999'], 'asked', /startedAt is 1999/],
    ['other settings', ['"format": "auto"', '"format": "json"'], 'asked', /settings\.format is not what/],
    ['more rows', ['"read": 9', '"read": 10'], 'lines', /1 items are not settled/],
  ])('with %s is found', async (_, [from, to], check, words) => {
    const found = wrongs(await run.verifyWith(runFile(), (text) => text.replace(from, to)))
    expect(found[check as 'asked']).toMatch(words)
  })

  test('with any byte changed is found, as its hash stands in the chain', async () => {
    const found = wrongs(await run.verifyWith(runFile(), (text) => text.replace('"by": "', '"by": "not-')))
    expect(found).toEqual({
      asked: expect.stringMatching(/^run\.json: its SHA-256 is \w+, and the run was started/),
    })
  })

  test('of another run is found', async () => {
    const other = await recordRun()
    const text = readFileSync(join(other.directory, 'run.json'), 'utf8')
    expect(wrongs(await run.verifyWith(runFile(), () => text)).asked).toMatch(/startedAt/)
  })
})

describe('what the run has read', () => {
  test('another input is found', async () => {
    const found = wrongs(await run.verifyWith(run.input, (text) => text.replace(ids[2]!, ids[0]!)))
    expect(found.input).toMatch(/stale\.csv .* is another file than the run has read: \d+ bytes/)
  })

  test('another hold list is found', async () => {
    const found = wrongs(await run.verifyWith(run.hold, (text) => `${text}${ids[0]}\n`))
    expect(found).toEqual({ hold: expect.stringMatching(/hold\.csv .* is another file/) })
  })

  test('what is gone is named, and can be left out', async () => {
    const found = wrongs(await run.verifyWith(run.input, () => null))
    expect(found).toEqual({ input: expect.stringMatching(/stale\.csv .* is gone .* --without-input\.$/) })
    const { checks, isRight } = await run.verify({ isInputLeftOut: true })
    expect(isRight).toBe(true)
    expect(checks.filter((check) => check.isRight === null).map(({ name }) => name)).toEqual([
      ...['input', 'complete', 'hold'],
    ])
  })
})

describe('the IDs of a list', () => {
  const of = async (rows: readonly string[]) => {
    const path = join(run.directory, '..', 'list.csv')
    writeFileSync(path, `conversation_id\n${rows.join('\n')}\n`)
    const { checks } = await run.verify({ ids: { files: [{ name: 'list.csv', path }], settings } })
    return checks.find(({ name }) => name === 'ids')!
  }

  test('each have one outcome, however often and in whichever order they stand', async () => {
    expect(await of([ids[3]!, ids[0]!, ids[3]!])).toMatchObject({
      isRight: true,
      finding: expect.stringMatching(
        /3 rows in list\.csv has exactly one outcome; 5 IDs of the run are not in there/,
      ),
    })
  })

  test('are named when they have none', async () => {
    expect(await of([ids[0]!, 'not-in-the-run', 'neither-this', 'not-in-the-run'])).toMatchObject({
      isRight: false,
      finding: 'list.csv, line 3: not-in-the-run has no outcome in the run (and 1 more).',
    })
  })

  test('are named when they have two', async () => {
    const twice = rechained(lines.map((line) => line.replaceAll(ids[0]!, ids[1]!)))
    writeFileSync(checkpoint, twice)
    expect(await of([ids[1]!])).toMatchObject({
      isRight: false,
      finding: expect.stringMatching(
        /^66f2\w+ has two outcomes in the run; the second is of .*stale\.csv, line \d+\.$/,
      ),
    })
    writeFileSync(checkpoint, lines.join(''))
  })
})
