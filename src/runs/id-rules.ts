import { isOnBatches, type Job, type JobFlags } from '../job.js'
import type { IdRules } from '../sources/items.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'

/** How a run of this job finds and calls its IDs. */
export function idRulesOf(job: Job, jobFlags: JobFlags, pseudonyms: Pseudonyms | null = null): IdRules {
  const columns = job.idColumns?.(jobFlags)
  return {
    isFree: isOnBatches(job.operation),
    ...(columns === undefined ? {} : { columns }),
    ...(pseudonyms === null ? {} : { pseudonymOf: pseudonyms.of }),
  }
}
