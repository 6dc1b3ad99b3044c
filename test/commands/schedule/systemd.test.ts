import { Cron } from 'croner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Task } from '../../../src/commands/schedule/schedule.js'
import { onCalendar, systemd } from '../../../src/commands/schedule/systemd.js'
import { parseCronTime } from '../../../src/settings/cron-time.js'
import { cannotTestHere } from '../../cannot-test-here.js'
import { expectUnits, isSystemdHere, systemdAnalyze } from './systemd-analyze.js'
import { anyWords, nastyWords, taskOf, textOf } from './tasks.js'

const settingOf = (task: Task, name: string) =>
  new RegExp(`^${name}=(.*)$`, 'm').exec(textOf(systemd.files(task), '.service'))![1]!

/** A line of ExecStart as systemd takes it apart: quotes, specifiers, variables. */
function wordsOfSystemd(line: string): string[] {
  const words = [...line.matchAll(/"((?:\\.|[^"\\])*)"|([^\s"]+)/g)]
  return words.map(([, inQuotes, bare]) =>
    (inQuotes ?? bare)!.replace(
      /\\(["\\])|(%)%|(\$)\$/g,
      (_, ...[escaped, percent, dollar]) => escaped ?? percent ?? dollar,
    ),
  )
}

if (!isSystemdHere) cannotTestHere('units of systemd', 'Install it: apt-get install systemd.')

const withSystemd = test.runIf(isSystemdHere)

withSystemd('systemd finds nothing wrong with the service and its timer', () => {
  expectUnits(systemd.files(taskOf()))
  expectUnits(systemd.files(taskOf({ secrets: [], at: parseCronTime('*/30 1-5 1,15 jan mon-fri') })))
})

withSystemd('systemd finds nothing wrong with nasty paths, and every word comes through', () => {
  const writes = ['/srv/100 % "runs"', "/srv/it's \\state"]
  const task = taskOf({
    words: ['run', 'end-conversations', ...nastyWords],
    writes,
    stateDirectory: writes[1]!,
  })
  expectUnits(systemd.files(task))
  expect(wordsOfSystemd(settingOf(task, 'ExecStart')).slice(3)).toEqual(task.words)
  expect(wordsOfSystemd(settingOf(task, 'ReadWritePaths'))).toEqual(writes)
  expect(wordsOfSystemd(settingOf(task, 'Environment'))).toEqual([`ADA_BULK_STATE=${writes[1]}`])
  fc.assert(
    fc.property(anyWords, (words) => {
      expect(wordsOfSystemd(settingOf(taskOf({ words }), 'ExecStart')).slice(3)).toEqual(words)
    }),
  )
})

withSystemd('the check finds what is wrong', () => {
  const [service, timer] = systemd.files(taskOf())
  const broken = { ...service!, text: service!.text.replace('Type=oneshot', 'Type=onshot') }
  expect(() => expectUnits([broken, timer!])).toThrow(/onshot/)
})

/** When systemd would start it, in UTC. */
function startsOf(onCalendarValue: string, base: string): string[] {
  const said = systemdAnalyze('calendar', '--iterations=6', `--base-time=${base} UTC`, onCalendarValue)
  const starts = said.matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/gm)
  return [...starts].map(([, day, time]) => `${day}T${time}.000Z`)
}

withSystemd.each([
  '0 3 * * *',
  '*/20 * * * *',
  '0 3 * * mon-fri',
  '30 22 1-7 * *',
  '0 3 1,15 jan,jul *',
  '15 3 13 * fri',
  '0 0 29 2 *',
])('the timer starts when a crontab with %j would', (text) => {
  const base = '2026-11-22 12:00:00'
  const cron = new Cron(text, { timezone: 'UTC', paused: true }).nextRuns(6, base.replace(' ', 'T'))
  const starts = onCalendar(parseCronTime(text)).flatMap((value) => startsOf(value, base))
  expect([...new Set(starts)].sort().slice(0, 6)).toEqual(cron.map((at) => at.toISOString()))
})
