import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { forecast, forecastText } from '../../src/commands/forecast.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import type { Count } from '../../src/runs/count.js'
import { newSettings } from '../../src/settings/run-settings.js'

const zone = process.env.TZ
beforeEach(() => {
  process.env.TZ = 'Europe/Berlin'
  vi.useFakeTimers({ now: new Date('2026-11-22T12:00:00'), toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
  if (zone === undefined) delete process.env.TZ
  else process.env.TZ = zone
})

const settingsOf = (flags: Parameters<typeof newSettings>[0]) =>
  newSettings(flags, { operation: endConversation })
const unlimited = Number.POSITIVE_INFINITY

function countOf(
  calls: number,
  reasons: { invalid?: number; duplicate?: number; filtered?: number } = {},
): Count {
  const { invalid = 0, duplicate = 0, filtered = 0 } = reasons
  const tally = new Tally()
  if (invalid > 0) tally.add('invalid', 'bad_id', invalid)
  if (duplicate > 0) tally.add('duplicate', 'duplicate', duplicate)
  if (filtered > 0) tally.add('filtered', 'on_hold', filtered)
  return {
    read: calls + invalid + duplicate + filtered,
    calls,
    tally,
    problems: {},
    repeatedHeaders: 0,
    first: [{ id: '66f2a91c4be07d3f5c1e0001', source: 'conversations.csv', line: 2 }],
    input: [{ name: 'conversations.csv', path: '/in/conversations.csv', sha256: 'ab12', bytes: 7 }],
  }
}

describe('a forecast', () => {
  test('says what would become of every row, and when that is done', () => {
    const count = countOf(10_000, { invalid: 3, duplicate: 40, filtered: 7 })
    // 240 calls a minute: 240 at once, then 240 with every minute.
    expect(
      forecast('end-conversations', 'https://acme.ada.support', count, settingsOf({}), unlimited),
    ).toMatchObject({
      job: 'end-conversations',
      instance: 'https://acme.ada.support',
      read: 10_050,
      valid: 10_000,
      invalid: 3,
      duplicate: 40,
      filtered: 7,
      calls: 10_000,
      seconds: 41 * 60 + 6,
      finishesAt: new Date('2026-11-22T12:41:06').toISOString(),
      reasons: { bad_id: 3, duplicate: 40, on_hold: 7 },
      first: count.first,
      input: count.input,
    })
  })

  test('takes no more items than --max-items, and nothing takes no time', () => {
    expect(forecast('end-conversations', null, countOf(10_000), settingsOf({}), 10)).toMatchObject({
      valid: 10_000,
      calls: 10,
      seconds: 0,
    })
    expect(forecast('end-conversations', null, countOf(0), settingsOf({}), unlimited)).toMatchObject({
      calls: 0,
      seconds: 0,
      finishesAt: new Date('2026-11-22T12:00:00').toISOString(),
    })
  })

  test('waits for --hours', () => {
    const settings = settingsOf({ hours: '22:00-06:00', 'api-limit': ['100/m'], share: '100%' })
    const plan = forecast('end-conversations', null, countOf(1000), settings, unlimited)
    expect(plan.finishesAt).toBe(new Date('2026-11-22T22:09:00').toISOString())
    expect(plan.seconds).toBe(10 * 3600 + 9 * 60)
  })

  test('without limits takes no time that could be told', () => {
    const settings = settingsOf({ 'api-limit': ['none'] })
    expect(forecast('end-conversations', null, countOf(10_000), settings, unlimited).seconds).toBe(0)
  })
})

describe('the text of a forecast', () => {
  const words = { verb: 'end', noun: 'conversation' }

  test('is a few lines for people', () => {
    const settings = settingsOf({})
    const count = countOf(10_000, { duplicate: 40, filtered: 7 })
    const plan = forecast('end-conversations', 'https://acme.ada.support', count, settings, unlimited)
    expect(forecastText(plan, settings, words).split('\n')).toEqual([
      'end-conversations on https://acme.ada.support',
      '  read      10,047 rows from conversations.csv',
      '  to end    10,000 conversations',
      '  left out  40 duplicate, 7 on_hold',
      '  takes     about 41 min 6 s at 24/s and 240/m (80% of 30/s and 300/m), until 12:41',
      '  first',
      '    66f2a91c4be07d3f5c1e0001  (conversations.csv, line 2)',
    ])
  })

  test('leaves out what there is not, and says what is missing', () => {
    const settings = settingsOf({ 'api-limit': ['none'] })
    const plan = forecast('end-conversations', null, { ...countOf(1), first: [] }, settings, unlimited)
    expect(forecastText(plan, settings, words).split('\n')).toEqual([
      'end-conversations on no instance named yet',
      '  read      1 row from conversations.csv',
      '  to end    1 conversation',
      '  takes     about 0 s without any limit, until 12:00',
    ])
  })

  test('says that a hold list leaves nothing out, as it may be the wrong one', () => {
    const settings = settingsOf({})
    const planOf = (count: Count) =>
      forecastText(
        forecast('end-conversations', null, count, settings, unlimited, { hold: [{ name: 'hold.csv' }] }),
        settings,
        words,
      )
    expect(planOf(countOf(10))).toContain(
      '  on hold   nothing: no item stands in hold.csv. Is it the right list?\n',
    )
    expect(planOf(countOf(10, { filtered: 1 }))).not.toContain('right list')
  })

  test('says of how many the first are tried', () => {
    const settings = settingsOf({})
    const text = forecastText(
      forecast('end-conversations', null, countOf(10_000), settings, 10),
      settings,
      words,
    )
    expect(text).toContain('  to end    10 conversations of 10,000\n')
  })

  test('says where the first row stands that cannot be used, and why', () => {
    const settings = settingsOf({})
    const problem = { message: 'contains a slash', source: 'conversations.csv', line: 17 }
    const count = { ...countOf(10, { invalid: 3, duplicate: 2 }), problems: { bad_id: problem } }
    const text = forecastText(
      forecast('end-conversations', null, count, settings, unlimited),
      settings,
      words,
    )
    expect(text).toContain('3 bad_id, the first in line 17: contains a slash\n')
    expect(text).toContain('  left out  2 duplicate\n')
  })

  test('says that each conversation is asked for first, and what calls that makes', () => {
    const settings = settingsOf({ 'check-first': true })
    const plan = forecast('end-conversations', null, countOf(100), settings, unlimited)
    expect(plan).toMatchObject({ items: 100, calls: 200 })
    expect(forecastText(plan, settings, words)).toContain(
      '100 conversations, asking for each first: 200 calls\n',
    )
  })

  test('says the day when it is not today', () => {
    const settings = settingsOf({})
    const plan = forecast('end-conversations', null, countOf(400_000), settings, unlimited)
    expect(forecastText(plan, settings, words)).toMatch(/about 1 d 3 h .*, until Mon,? 23 Nov, 15:46/)
  })
})
