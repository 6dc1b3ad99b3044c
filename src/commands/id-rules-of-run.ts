import type { RunFile } from '../checkpoint/run-file.js'
import { idRulesOf } from '../runs/id-rules.js'
import { loadJob } from '../runs/jobs.js'
import type { Environment } from '../settings/environment.js'
import type { IdRules } from '../sources/items.js'
import { pseudonymsOfRun } from '../sources/pseudonyms.js'

/** How a run finds and calls its IDs. Throws a UsageError without its job, or without the key of its pseudonyms. */
export async function idRulesOfRun(run: RunFile, environment: Environment): Promise<IdRules> {
  const { job } = await loadJob(run.job)
  return idRulesOf(job, run.jobFlags, pseudonymsOfRun(run, environment))
}
