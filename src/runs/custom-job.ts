import { z } from 'zod'
import type { Item, Refusal } from '../item.js'
import type { Filter, Job } from '../job.js'
import { rateWindow } from '../settings/run-settings.js'
import { faultIn, UsageError } from '../system/errors.js'
import { messageOf } from '../system/text.js'

const act = z.custom((value) => typeof value === 'function', 'expected a function').optional()
const flag = z.object({
  describe: z.string(),
  default: z.string().optional(),
  isRequired: z.boolean().optional(),
  isSwitch: z.boolean().optional(),
})
const jobSchema = z.object({
  describe: z.string(),
  operation: z.looseObject({
    name: z.string(),
    verb: z.string(),
    noun: z.string(),
    limits: z.array(rateWindow),
  }),
  flags: z.record(z.string().regex(/^[a-z][\w-]*$/i, 'is no name of a flag'), flag).optional(),
  filters: act,
  idColumns: act,
  isLive: z.boolean().optional(),
  remembers: z.boolean().optional(),
  mayErase: z.boolean().optional(),
  checksFirst: z.boolean().optional(),
})

/**
 * A job from somebody's own file, which nobody has compiled: with its parts held against what they should be, and with
 * filters that call nothing when they fail. Throws a UsageError that names the file.
 */
export function checkedJob(job: Job, file: string): Job {
  const parsed = jobSchema.safeParse(job)
  if (!parsed.success) throw new UsageError(`${file}: the job is not right. ${faultIn(parsed.error)}.`)
  const { filters, idColumns } = job
  return {
    ...job,
    ...(filters && {
      filters: (...given) =>
        usableFilters(
          asked(() => filters(...given), file, 'filters'),
          file,
        ),
    }),
    ...(idColumns && {
      idColumns: (...given) =>
        usableColumns(
          asked(() => idColumns(...given), file, 'idColumns'),
          file,
        ),
    }),
  }
}

function asked<T>(ask: () => T, file: string, what: string): T {
  try {
    return ask()
  } catch (error) {
    if (isUsageError(error)) throw error
    throw new UsageError(`${file}: its ${what} cannot be made. ${messageOf(error)}`)
  }
}

/** By its name: the file may come with a copy of the class. */
const isUsageError = (error: unknown) => error instanceof Error && error.name === 'UsageError'

function usableColumns(columns: unknown, file: string): readonly string[] {
  if (Array.isArray(columns) && columns.every((name) => typeof name === 'string')) return columns
  throw new UsageError(`${file}: its idColumns must give a list of names.`)
}

function usableFilters(filters: unknown, file: string): readonly Filter[] {
  if (Array.isArray(filters) && filters.every(isFilter)) return filters.map(guarded)
  throw new UsageError(`${file}: its filters must give a list of { name, judge }.`)
}

function isFilter(value: unknown): value is Filter {
  return typeof (value as Partial<Filter> | null)?.judge === 'function'
}

/** An item that the filter fails on is never silently taken, nor silently left out. */
function guarded(filter: Filter): Filter {
  const judgement = (ask: () => unknown): Refusal | null => {
    try {
      const answer = ask()
      if (answer === null || isRefusal(answer)) return answer
      return failed(filter, 'gives neither null nor a status, a reason of one word and a message')
    } catch (error) {
      if (isUsageError(error)) throw error
      return failed(filter, messageOf(error))
    }
  }
  return {
    name: filter.name,
    judge: (item: Item) => judgement(() => filter.judge(item)),
    ...(filter.judgeAgain && {
      judgeAgain: (updatedMs: number) => judgement(() => filter.judgeAgain?.(updatedMs)),
    }),
  }
}

function isRefusal(answer: unknown): answer is Refusal {
  const { status, reason, message } = (answer ?? {}) as Partial<Refusal>
  const isWord = typeof reason === 'string' && /^[a-z0-9_]{1,60}$/i.test(reason)
  return (status === 'filtered' || status === 'invalid') && isWord && typeof message === 'string'
}

function failed({ name }: Filter, why: string): Refusal {
  // Many leave it out: nothing else needs it.
  const which = typeof name === 'string' ? `the filter ${name}` : 'a filter of the job'
  return { status: 'invalid', reason: 'bad_row', message: `${which}: ${why}` }
}
