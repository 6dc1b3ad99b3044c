import { idRulesOf } from '../ids/id-rules.js'
import { pseudonymsOfRun } from '../ids/pseudonyms.js'
import type { IdRules } from '../items.js'
import { loadJob } from '../jobs.js'
import type { RunFile } from '../run-file.js'
import type { Environment } from '../settings/environment.js'

/** How a run finds and calls its IDs. Throws a UsageError without its job, or without the key of its pseudonyms. */
export async function idRulesOfRun(run: RunFile, environment: Environment): Promise<IdRules> {
  const { job } = await loadJob(run.job)
  return idRulesOf(job, run.jobFlags, pseudonymsOfRun(run, environment))
}
