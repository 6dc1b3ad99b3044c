import type { IdRules } from '../items.js'
import type { Job, JobFlags } from '../job.js'
import { isOnBatches } from '../operations/operation.js'
import type { Pseudonyms } from './pseudonyms.js'

/** How a run of this job finds and calls its IDs. */
export function idRulesOf(job: Job, jobFlags: JobFlags, pseudonyms: Pseudonyms | null = null): IdRules {
  const columns = job.idColumns?.(jobFlags)
  return {
    isFree: isOnBatches(job.operation),
    ...(columns === undefined ? {} : { columns }),
    ...(pseudonyms === null ? {} : { pseudonymOf: pseudonyms.of }),
  }
}
