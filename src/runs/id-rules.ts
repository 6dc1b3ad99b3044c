import type { RunFile } from '../checkpoint/run-file.js'
import { isOnBatches, type Job, type JobFlags } from '../job.js'
import type { IdRules } from '../sources/items.js'
import type { Pseudonyms } from '../sources/pseudonyms.js'
import { jobNames, loadJob } from './jobs.js'

/** How a run of this job finds and calls its IDs. */
export function idRulesOf(job: Job, jobFlags: JobFlags, pseudonyms: Pseudonyms | null = null): IdRules {
  return idRules(
    { columns: job.idColumns?.(jobFlags), isFree: isOnBatches(job.operation) },
    jobFlags,
    pseudonyms,
  )
}

/** The same for a recorded run: one of version 0.1 is read as that version has read it. */
export function idRulesOfRun(
  run: Pick<RunFile, 'ids' | 'jobFlags'>,
  job: Job,
  pseudonyms: Pseudonyms | null = null,
): IdRules {
  const rules = idRulesOf(job, run.jobFlags, pseudonyms)
  return run.ids === undefined ? { ...rules, isAsBefore: true } : rules
}

/**
 * How a recorded run finds and calls its IDs, from its record alone. A run of version 0.1 does not say it: its built-in
 * job does; null where it names a job file, as no code that a record names is run.
 */
export async function recordedIdRules(run: RunFile, pseudonyms: Pseudonyms | null): Promise<IdRules | null> {
  if (run.ids !== undefined) return idRules(run.ids, run.jobFlags, pseudonyms)
  if (!jobNames().includes(run.job)) return null
  return idRulesOfRun(run, (await loadJob(run.job)).job, pseudonyms)
}

function idRules(
  { columns, isFree }: NonNullable<RunFile['ids']>,
  { 'type-column': typeColumn }: JobFlags,
  pseudonyms: Pseudonyms | null,
): IdRules {
  return {
    ...(isFree && typeColumn !== undefined ? { typeColumn } : {}),
    isFree,
    ...(columns === undefined ? {} : { columns }),
    ...(pseudonyms === null ? {} : { pseudonymOf: pseudonyms.of }),
  }
}
