import type { Job } from '../job.js'
import type { RunSettings } from '../run-file.js'

/** The settings of a run of this job, if nobody says otherwise. */
export function defaultSettings(
  job: Pick<Job, 'checksFirst'> & { operation: Pick<Job['operation'], 'limits'> },
): RunSettings {
  return {
    format: 'auto',
    idColumn: null,
    acceptTruncated: false,
    limits: [...job.operation.limits],
    share: 0.8,
    hours: null,
    concurrency: 16,
    timeoutMs: 30_000,
    attemptsMax: 5,
    maxFailures: { count: null, ratio: 0.25 },
    maxOutageMs: 300_000,
    checkFirst: job.checksFirst ?? false,
  }
}
