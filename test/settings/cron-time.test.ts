import { Cron } from 'croner'
import { describe, expect, test } from 'vitest'
import { parseCronTime } from '../../src/settings/cron-time.js'
import { UsageError } from '../../src/system/errors.js'

describe('when something is to start', () => {
  test.each([
    ['03:00', '0 3 * * *'],
    ['3:05', '5 3 * * *'],
    ['  22:30 ', '30 22 * * *'],
    ['0  3 * *   *', '0 3 * * *'],
    ['*/15 22-23 1,15 jan-MAR *', '*/15 22-23 1,15 jan-MAR *'],
    ['0 3 * * mon-fri', '0 3 * * mon-fri'],
    ['0 3 * * 7', '0 3 * * 0'],
    ['0 3 * * 5-7', '0 3 * * 0,5,6'],
  ])('%j is %j, as every cron takes it', (typed, text) => {
    expect(parseCronTime(typed).text).toBe(text)
    expect(new Cron(text, { paused: true }).nextRun()).not.toBeNull()
  })

  test('is taken apart into its values', () => {
    expect(parseCronTime('*/20 1-10/3 1,15 feb *')).toMatchObject({
      minutes: [0, 20, 40],
      hours: [1, 4, 7, 10],
      days: [1, 15],
      months: [2],
      weekdays: null,
    })
    expect(parseCronTime('0 3 * * sat,7').weekdays).toEqual([0, 6])
    expect(parseCronTime('0 3 * * */2').weekdays).toEqual([0, 2, 4, 6])
  })

  test.each([
    ['', 'neither a time of day'],
    ['tomorrow', 'neither a time of day'],
    ['@daily', 'neither a time of day'],
    ['0 3 * *', 'neither a time of day'],
    ['24:00', '24 is no hour'],
    ['03:60', '60 is no minute'],
    ['60 3 * * *', '60 is no minute'],
    ['0 3 0 * *', '0 is no day'],
    ['0 3 * 13 *', '13 is no month'],
    ['0 3 * * 8', '8 is no weekday'],
    ['0 3 * * fri-mon', 'fri-mon is no weekday'],
    ['0 22-6 * * *', '22-6 is no hour'],
    ['*/0 3 * * *', '*/0 is no minute'],
    ['5/15 3 * * *', '5/15 is no minute'],
    ['0 3 1, * *', ' is no day'],
    ['0 3 30 2 *', 'no such day'],
    ['0 3 31 4,6,9,11 *', 'no such day'],
    ['0 3 */2 * mon', 'crons disagree'],
  ])('%j is refused: %s', (typed, what) => {
    expect(() => parseCronTime(typed)).toThrow(UsageError)
    expect(() => parseCronTime(typed)).toThrow(`--at ${typed}: `)
    expect(() => parseCronTime(typed)).toThrow(what)
  })
})
