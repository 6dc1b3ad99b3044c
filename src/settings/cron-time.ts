import { UsageError } from '../system/errors.js'

/** The values of a field; null is any. */
export type CronField = readonly number[] | null

/** When something is to start, again and again: what a crontab says in five fields. */
export interface CronTime {
  /** The five fields, in words that every cron understands. */
  text: string
  minutes: CronField
  hours: CronField
  days: CronField
  months: CronField
  /** From 0, Sunday, to 6. With `days`, either of the two is enough. */
  weekdays: CronField
}

interface FieldKind {
  noun: string
  least: number
  most: number
  /** Names for the numbers, from the least on. */
  names: readonly string[]
}

const monthNames = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const weekdayNames = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

const kinds: readonly FieldKind[] = [
  { noun: 'minute', least: 0, most: 59, names: [] },
  { noun: 'hour', least: 0, most: 23, names: [] },
  { noun: 'day', least: 1, most: 31, names: [] },
  { noun: 'month', least: 1, most: 12, names: monthNames },
  { noun: 'weekday', least: 0, most: 7, names: weekdayNames },
]

/** `03:00`, or the five fields of a crontab: `0 3 * * mon-fri`. Throws a UsageError. */
export function parseCronTime(text: string, flag = '--at'): CronTime {
  const [, hour, minute] = /^\s*(\d{1,2}):(\d{2})\s*$/.exec(text) ?? []
  const words =
    hour === undefined ? text.trim().split(/\s+/) : [minute!, hour, '*', '*', '*'].map(plainNumber)
  if (words.length !== 5) {
    throw new UsageError(
      `${flag} ${text}: neither a time of day, like 03:00, nor the five fields of a crontab, like '0 3 * * mon-fri'.`,
    )
  }
  const fail = (what: string) => new UsageError(`${flag} ${text}: ${what}`)
  const [minutes, hours, days, months, typedWeekdays] = kinds.map((kind, index) =>
    parseField(words[index]!, kind, fail),
  ) as [CronField, CronField, CronField, CronField, CronField]
  if (days !== null && typedWeekdays !== null && [words[2]!, words[4]!].some((word) => word.includes('*'))) {
    throw fail('crons disagree on what a step over all days means together with a weekday. List the days.')
  }
  if (typedWeekdays === null && !hasDay(days, months)) throw fail('there is no such day in any year.')
  const weekdays = typedWeekdays && sorted(typedWeekdays.map((weekday) => weekday % 7))
  // Kubernetes knows no seventh weekday.
  if (typedWeekdays?.includes(7)) words[4] = weekdays!.join(',')
  return { text: words.join(' '), minutes, hours, days, months, weekdays }
}

const plainNumber = (word: string) => (word === '*' ? word : String(Number(word)))

const sorted = (values: readonly number[]) => [...new Set(values)].sort((a, b) => a - b)

function parseField(word: string, kind: FieldKind, fail: (what: string) => Error): CronField {
  if (word === '*') return null
  return sorted(
    word.split(',').flatMap((part) => {
      const [, whole, from, to, step] = /^(?:(\*)|(\w+)(?:-(\w+))?)(?:\/(\d+))?$/.exec(part) ?? []
      const first = whole ? kind.least : numberIn(from, kind)
      // The weekday 7 is 0 again.
      const last = whole ? kind.most - (kind.noun === 'weekday' ? 1 : 0) : numberIn(to ?? from, kind)
      const by = step === undefined ? 1 : Number(step)
      const isStepOverRange = step === undefined || whole !== undefined || to !== undefined
      if (first === null || last === null || first > last || by < 1 || !isStepOverRange) {
        throw fail(
          `${part} is no ${kind.noun}. Write numbers from ${kind.least} to ${kind.most}, like 1, 1-5, 1,3 or */2.`,
        )
      }
      return Array.from({ length: Math.floor((last - first) / by) + 1 }, (_, index) => first + index * by)
    }),
  )
}

function numberIn(word: string | undefined, { least, most, names }: FieldKind): number | null {
  const named = names.indexOf(word?.toLowerCase() ?? '')
  const value = named >= 0 ? named + least : /^\d+$/.test(word ?? '') ? Number(word) : Number.NaN
  return value >= least && value <= most ? value : null
}

function hasDay(days: CronField, months: CronField): boolean {
  const longest = (month: number) => (month === 2 ? 29 : [4, 6, 9, 11].includes(month) ? 30 : 31)
  return days === null || months === null || months.some((month) => days[0]! <= longest(month))
}
