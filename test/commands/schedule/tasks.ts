import fc from 'fast-check'
import type { ScheduleFile, Task } from '../../../src/commands/schedule/schedule.js'
import { parseCronTime } from '../../../src/settings/cron-time.js'

/** A task as a clone of the program would have it. */
export function taskOf(changes: Partial<Task> = {}): Task {
  return {
    name: 'ada-bulk-cleanup',
    at: parseCronTime('03:00'),
    program: [process.execPath, '--', '/usr/local/bin/ada-bulk'],
    words: ['run', 'cleanup', '--handle', 'acme', '--yes', '--continue'],
    writes: ['/var/lib/ada-bulk/runs', '/var/lib/ada-bulk/state'],
    stateDirectory: '/var/lib/ada-bulk/state',
    secrets: ['ADA_API_KEY'],
    graceSeconds: 60,
    stopsItself: false,
    user: 'root',
    timeZone: 'Europe/Berlin',
    cluster: { image: 'ada-bulk:1', namespace: undefined, volumeClaim: 'ada-bulk', secret: 'ada-bulk' },
    ...changes,
  }
}

/** Words as people would rather not have them in a command line. */
export const nastyWords = [
  "it's a list.csv",
  '100 % done.csv',
  'say "no".csv',
  '$HOME `id` $(id) $$ ${.csv',
  'C:\\new\\%d \\" \\\' \\\\%.csv',
  'a;b & c | d > e < f (g) {h} [i] *.csv',
  ';',
  '#no-comment',
  ' ',
  '',
  '-',
  '~/überall 会话.csv',
  'key: value # not yaml',
  '{{ .Values }}',
  '%%n',
  '!important',
]

/** Any words of printable characters, the dangerous ones more often than not. */
export const anyWords = fc.array(
  fc.string({
    unit: fc.oneof(
      fc.constantFrom(...'\\\\%%$\'"` ;#{}()ab'),
      fc
        .string({ minLength: 1, maxLength: 1, unit: 'grapheme' })
        .filter((text) => !/\p{C}|\p{Zl}|\p{Zp}/u.test(text)),
    ),
    maxLength: 8,
  }),
  { minLength: 1, maxLength: 12 },
)

export function textOf(files: readonly ScheduleFile[], ending: string): string {
  return files.find(({ name }) => name.endsWith(ending))!.text
}
