import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { plainJudge, plainRecords, plainRules, textOf } from '../plain-records.js'
import { openDesk, startEndingApi } from './in-process.js'

const zone = process.env.TZ
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin'
  vi.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z'), toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const instance = ['--base-url', 'https://acme.ada.support']
const idsOf = (count: number) =>
  Array.from({ length: count }, (_, index) => `66f2a91c4be07d3f5c1e${String(index).padStart(4, '0')}`)
const staleCsv = (count: number) =>
  `_id,date_updated\n${idsOf(count)
    .map((id) => `${id},2026-01-31T08:00:00\n`)
    .join('')}`

describe('plan', () => {
  test('says all of it to people', async () => {
    const desk = openDesk()
    const ids = idsOf(900)
    const fresh = `fresh,2026-11-21T08:00:00\n${ids[0]},2026-01-31T08:00:00\nundated,\n,2026-01-31T08:00:00\n`
    const input = desk.write('stale.csv', staleCsv(900) + fresh)
    const hold = desk.write('hold.csv', `_id\n${ids.slice(0, 100).join('\n')}\n`)
    const said = await desk.type(
      'plan',
      'close-stale',
      '-i',
      input,
      '--hold',
      hold,
      '--share',
      '50%',
      '--hours',
      '22:00-06:00',
      ...instance,
    )
    expect(said).toMatchObject({ code: 0, stderr: `hold: 100 IDs in ${hold}; 100 match\n` })
    expect(said.stdout.split('\n')).toEqual([
      'close-stale on https://acme.ada.support',
      `  read      904 rows from ${input}`,
      '  to end    800 conversations',
      '  left out  1 duplicate, 1 not_stale, 100 on_hold',
      '  invalid   1 bad_row, the first in line 904: has no date_updated or updated_at, which --idle needs; --date-column NAME names another',
      '  invalid   1 empty_id, the first in line 905',
      // It is 13:00 in Berlin: nine hours until it begins, then 150 at once and 150 with every minute.
      expect.stringMatching(
        /^ {2}takes {5}about 9 h 5 min at 15\/s and 150\/m \(50% of 30\/s and 300\/m\), between 22:00 and 06:00 only, until 22:05$/,
      ),
      '  first',
      ...ids.slice(100, 105).map((id, index) => `    ${id}  (${input}, line ${102 + index})`),
      '',
    ])
  })

  test('says all of it to programs', async () => {
    const desk = openDesk()
    const input = desk.write('stale.csv', `${staleCsv(900)}fresh,2026-11-21T08:00:00\nundated,\n`)
    const args = [
      '-i',
      input,
      '--share',
      '50%',
      '--hours',
      '22:00-06:00',
      '--check-first',
      '--json',
      ...instance,
    ]
    const plan = JSON.parse((await desk.type('plan', 'close-stale', ...args)).stdout)
    expect(plan).toMatchObject({
      job: 'close-stale',
      instance: 'https://acme.ada.support',
      read: 902,
      valid: 900,
      invalid: 1,
      duplicate: 0,
      filtered: 1,
      items: 900,
      calls: 1800,
      reasons: { bad_row: 1, not_stale: 1 },
      problems: {
        bad_row: {
          message: 'has no date_updated or updated_at, which --idle needs; --date-column NAME names another',
          source: input,
          line: 903,
        },
      },
      first: [{ id: idsOf(1)[0], source: input, line: 2 }, {}, {}, {}, {}],
      settings: { share: 0.5, hours: { fromMinute: 22 * 60, toMinute: 6 * 60 }, checkFirst: true },
      input: [{ name: input, bytes: expect.any(Number), sha256: expect.stringMatching(/^[\da-f]{64}$/) }],
    })
    // 1,800 calls, 150 a minute: the last of them eleven minutes and some seconds after 22:00 in Berlin.
    expect(plan.finishesAt.slice(0, 16)).toBe('2026-11-22T21:11')
    expect(plan.seconds).toBe((Date.parse(plan.finishesAt) - Date.now()) / 1000)
  })

  test('helps when every row lacks the date, in all its words', async () => {
    const desk = openDesk()
    const input = desk.write(
      'stale.csv',
      `conversation_id,subject\n${idsOf(118)
        .map((id) => `${id},Refund\n`)
        .join('')}`,
    )
    const more = desk.write('more.csv', 'conversation_id\na/b\n')
    expect((await desk.type('plan', 'close-stale', '-i', input)).stdout).toContain(
      '  invalid   118 bad_row, the first in line 2: has no date_updated or updated_at, which --idle needs; --date-column NAME names another\n',
    )
    expect((await desk.type('plan', 'close-stale', '-i', input, '-i', more)).stdout).toContain(
      `  invalid   118 bad_row, the first in ${input}, line 2: has no date_updated`,
    )
  })

  test('shows the doubled cost of --check-first', async () => {
    const desk = openDesk()
    const input = desk.write('stale.csv', staleCsv(20))
    const { stdout } = await desk.type('plan', 'close-stale', '-i', input, '--check-first')
    expect(stdout).toContain('  to end    20 conversations, asking for each first: 40 calls\n')
  })

  test('knows that limits of a day pass while the hours are closed', async () => {
    const desk = openDesk()
    const input = desk.write('stale.csv', staleCsv(1000))
    const words = [
      '-i',
      input,
      '--share',
      '100%',
      '--api-limit',
      '30/s',
      '--api-limit',
      '400/d',
      '--hours',
      '22:00-06:00',
      '--json',
    ]
    const { finishesAt } = JSON.parse((await desk.type('plan', 'close-stale', ...words)).stdout)
    // It is Sunday, 13:00 in Berlin: 400 tonight, 400 tomorrow night, 200 in the third.
    expect(finishesAt.slice(0, 13)).toBe('2026-11-24T21')
  })

  test('of a list that never ends ends all the same', async () => {
    const desk = openDesk()
    const input = desk.write('stale.csv', staleCsv(1000))
    for (const hours of [[], ['--hours', '22:00-22:01']]) {
      const { stdout } = await desk.type(
        'plan',
        'close-stale',
        '-i',
        input,
        '--api-limit',
        '1/366d',
        ...hours,
        '--json',
      )
      expect(JSON.parse(stdout).finishesAt).toMatch(/^2036-/)
    }
  })

  test('leaves nothing behind, also when it cannot be made', async () => {
    const desk = openDesk()
    const temporary = desk.path('tmp')
    mkdirSync(temporary)
    vi.stubEnv('TMPDIR', temporary)
    const input = desk.write('stale.csv', staleCsv(3))
    await desk.type('plan', 'close-stale', '-i', input)
    await desk.type('plan', 'close-stale', '-i', desk.path('nowhere.csv'))
    await desk.type('plan', 'close-stale', '-i', input, '--where', 'date_updated == ')
    vi.unstubAllEnvs()
    expect(readdirSync(temporary)).toEqual([])
    expect(existsSync(desk.path('runs'))).toBe(false)
    expect(readdirSync(desk.path('state'))).toEqual([])
  })

  test.each([
    [['--idle', '14'], '--idle 14: not a span of time. Write it like 30s, 5m, 2h, 1h30m or 14d.'],
    [['--escalated', 'maybe'], '--escalated maybe: write yes or no.'],
    [['--test-users', 'yes'], '--test-users yes: write no or only.'],
    [['--variable', 'plan'], '--variable plan: write it like plan=gold.'],
    [['--where', 'language ='], /^--where: .+, in language =\. Write it like /],
    [
      ['--created-after', 'soon'],
      '--created-after soon: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.',
    ],
  ])('refuses %j in one sentence', async (words, sentence) => {
    const desk = openDesk()
    const said = await desk.type('plan', 'close-stale', '-i', desk.write('stale.csv', staleCsv(3)), ...words)
    expect(said).toMatchObject({ code: 2, stdout: '' })
    const text = said.stderr.replace(/^ada-bulk: /, '').trimEnd()
    if (typeof sentence === 'string') expect(text).toBe(sentence)
    else expect(text).toMatch(sentence)
  })
})

test('a run does what its plan said, of any records under any flags', async () => {
  vi.useRealTimers()
  const api = await startEndingApi()
  const far = '3650d'
  await fc.assert(
    fc.asyncProperty(
      plainRecords(30),
      plainRules,
      fc.constantFrom('json', 'csv'),
      async (records, rules, kind) => {
        const desk = openDesk()
        api.ended.length = 0
        const hold =
          rules.hold.length === 0 ? [] : ['--hold', desk.write('hold.csv', `_id\n${rules.hold.join('\n')}\n`)]
        // The records tell their age on a day of 2026. Whatever day it is now: either all are stale, or all are not.
        const idle = rules.idleDays === undefined ? undefined : rules.idleDays < 30 ? '0.001s' : far
        const flags = Object.entries({ ...rules.flags, ...(idle === undefined ? {} : { idle }) }).flatMap(
          ([name, value]) => [`--${name}`, value],
        )
        const words = [
          'end-conversations',
          '-i',
          desk.write('list', textOf(records, kind as 'json' | 'csv')),
          ...hold,
          ...flags,
        ]
        const rest = ['--base-url', api.url, '--api-limit', 'none', '--json']
        const planned = JSON.parse((await desk.type('plan', ...words, ...rest)).stdout)
        const { stdout } = await desk.type('run', ...words, ...rest, '--yes', '--quiet', '--progress', 'none')
        const { totals, reasons } = JSON.parse(stdout)
        const { ended: _ended, ...others } = reasons
        expect(totals).toMatchObject({
          read: planned.read,
          succeeded: planned.calls,
          invalid: planned.invalid,
          duplicate: planned.duplicate,
          filtered: planned.filtered,
          left: 0,
        })
        expect(others).toEqual(planned.reasons)
        expect(api.ended).toHaveLength(planned.calls)
        const first: string[] = planned.first.map(({ id }: { id: string }) => id)
        expect(first.filter((id) => !api.ended.includes(id))).toEqual([])
        if (rules.idleDays === undefined)
          expect(api.ended.toSorted()).toEqual(plainJudge(records, rules).calls.toSorted())
      },
    ),
    { numRuns: 6 },
  )
})
