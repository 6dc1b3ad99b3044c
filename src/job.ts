import type { Filter } from './filters/filter.js'
import type { AnyOperation } from './operations/operation.js'

/** What to do to a whole list, as data. A file in `jobs/`, or of your own, has one as its default export. */
export interface Job {
  /** One sentence for `ada-bulk jobs` and `--help`. */
  describe: string
  operation: AnyOperation
  /** Flags of the job's own, by name, as `run <job>` takes them. */
  flags?: Readonly<Record<string, JobFlag>>
  /** Which items are not to be done, given the values of the job's flags. Hold lists always go before. */
  filters?: (flags: JobFlags, context: FilterContext) => readonly Filter[]
  /** The names that the column of the ID may have, where the IDs are none of conversations. Its input is CSV. */
  idColumns?: (flags: JobFlags) => readonly string[]
  /** Its input is always the live Data Export, as with `--live`. */
  isLive?: boolean
  /** Remembers what it has settled on an instance, and begins where its last run left nothing to do. */
  remembers?: boolean
  /** With its switch `erase`, the end users behind what it has ended are erased by a second run. */
  mayErase?: boolean
  /** Asks for each conversation before it does something to it, as with `--check-first`. */
  checksFirst?: boolean
}

/** The values of a job's flags, by name. */
export type JobFlags = Readonly<Record<string, string | undefined>>

export interface FilterContext {
  /** When the run began, or its plan was made (Unix). A resumed run judges by the same moment. */
  nowMs: number
}

export interface JobFlag {
  describe: string
  default?: string
  isRequired?: boolean
  /** Stands alone, without a value; `true` where it is given. */
  isSwitch?: boolean
}

/** Says that an object is a job; the types are all it adds. */
export function defineJob(job: Job): Job {
  return job
}
