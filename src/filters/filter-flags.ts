import type { Filter, FilterContext, JobFlag, JobFlags } from '../job.js'
import { parseDuration, parsePositiveDuration } from '../settings/values.js'
import { UsageError } from '../system/errors.js'
import { momentMs } from '../system/moment.js'
import { createdBetween, idleLongerThan } from './dates.js'
import { fieldIsOneOf, flagIs, variableEquals } from './fields.js'
import { where } from './where.js'

/** The flags by which the person picks from the records of any input; a job takes them over as its own. */
export const filterFlags = {
  idle: { describe: 'Only if not updated for so long, like 14d' },
  'date-column': { describe: 'The field of the last update, if it is not date_updated or updated_at' },
  'created-after': { describe: 'Only created at or after this moment, like 2026-01-31 or 2026-01-31T08:00Z' },
  'created-before': { describe: 'Only created before this moment, or so long ago: 2026-01-31, 365d' },
  language: { describe: 'Only these languages, like fr,de' },
  platform: { describe: 'Only these platforms' },
  escalated: { describe: 'yes: only those handed to a person at some time; no: only others' },
  engaged: { describe: 'yes: only those in which the customer said something; no: only others' },
  'test-users': { describe: 'no: leave out test users; only: nothing but them' },
  variable: { describe: 'Only with this value of a variable, like plan=gold' },
  where: {
    describe: 'Only where an expression (CEL) is true, like \'language == "fr" && variables.plan != "gold"\'',
  },
} satisfies Readonly<Record<string, JobFlag>>

/** The filters that the values of `filterFlags` ask for. Throws a UsageError that names a flag with a wrong value. */
export function filtersFrom(flags: JobFlags, { nowMs }: FilterContext): Filter[] {
  const { idle, language, platform, escalated, engaged, variable } = flags
  const after = flags['created-after']
  const before = flags['created-before']
  const testUsers = flags['test-users']
  const filters: Filter[] = []
  if (idle === undefined && flags['date-column'] !== undefined) {
    throw new UsageError(`--date-column ${flags['date-column']}: goes with --idle, which is not given.`)
  }
  if (idle !== undefined) {
    filters.push(idleLongerThan(parsePositiveDuration(idle, '--idle'), nowMs, flags['date-column']))
  }
  if (after !== undefined || before !== undefined) {
    const from = after === undefined ? Number.NEGATIVE_INFINITY : parseMoment(after, '--created-after', nowMs)
    const to =
      before === undefined ? Number.POSITIVE_INFINITY : parseMoment(before, '--created-before', nowMs)
    if (from >= to)
      throw new UsageError(`--created-after ${after} is not before --created-before ${before}: swap them.`)
    filters.push(createdBetween(from, to))
  }
  if (language !== undefined)
    filters.push(fieldIsOneOf('language', parseList(language, '--language', 'fr,de')))
  if (platform !== undefined)
    filters.push(fieldIsOneOf('platform', parseList(platform, '--platform', 'web,ios')))
  if (escalated !== undefined) {
    const wanted = parseYesNo(escalated, '--escalated')
    filters.push(flagIs('is_escalated', wanted, '--escalated', wanted ? 'not_escalated' : 'escalated'))
  }
  if (engaged !== undefined) {
    const wanted = parseYesNo(engaged, '--engaged')
    filters.push(flagIs('is_engaged', wanted, '--engaged', wanted ? 'not_engaged' : 'engaged'))
  }
  if (testUsers !== undefined) {
    if (testUsers !== 'only' && testUsers !== 'no')
      throw new UsageError(`--test-users ${testUsers}: write no or only.`)
    const wanted = testUsers === 'only'
    filters.push(flagIs('is_test_user', wanted, '--test-users', wanted ? 'not_test_user' : 'test_user'))
  }
  if (variable !== undefined) {
    const [, name, value] = /^\s*([^=]*[^=\s])\s*=\s*(.*\S)\s*$/s.exec(variable) ?? []
    if (name === undefined || value === undefined)
      throw new UsageError(`--variable ${variable}: write it like plan=gold.`)
    filters.push(variableEquals(name, value))
  }
  if (flags.where !== undefined) filters.push(where(flags.where))
  return filters
}

/** A moment, or a span of time ago. */
function parseMoment(text: string, flag: string, nowMs: number): number {
  const isAgo = /^\s*(\d+(\.\d+)?(ms|s|m|h|d))+\s*$/.test(text)
  const ms = isAgo ? nowMs - parseDuration(text, flag) : momentMs(text)
  if (ms === null)
    throw new UsageError(`${flag} ${text}: not a moment. Write it like 2026-01-31 or 2026-01-31T08:00Z.`)
  return ms
}

function parseList(text: string, flag: string, like: string): string[] {
  const values = text.split(',').map((value) => value.trim())
  if (values.includes('')) throw new UsageError(`${flag} ${text}: write it like ${like}.`)
  return values
}

function parseYesNo(text: string, flag: string): boolean {
  if (text !== 'yes' && text !== 'no') throw new UsageError(`${flag} ${text}: write yes or no.`)
  return text === 'yes'
}
