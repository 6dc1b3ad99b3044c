import type { Filter } from './filters/filter.js'
import type { Operation } from './operations/operation.js'

/** What to do to a whole list, as data. A file in `jobs/`, or of your own, has one as its default export. */
export interface Job {
  /** One sentence for `ada-bulk jobs` and `--help`. */
  describe: string
  operation: Operation
  /** Flags of the job's own, by name, as `run <job>` takes them. */
  flags?: Readonly<Record<string, JobFlag>>
  /** Which items are not to be done, given the values of the job's flags. Hold lists always go before. */
  filters?: (flags: JobFlags, context: FilterContext) => readonly Filter[]
  /** Its input is always the live Data Export, as with `--live`. */
  isLive?: boolean
  /** Remembers what it has settled on an instance, and begins where its last run left nothing to do. */
  remembers?: boolean
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
}

/** Says that an object is a job; the types are all it adds. */
export function defineJob(job: Job): Job {
  return job
}
