import { z } from 'zod'
import type { Totals } from './tally.js'

/** `summary.json`, and what `run`, `resume` and `retry` end with. The names are contract. */
export interface Summary {
  run: string
  /** The run's directory. */
  directory: string
  job: string
  instance: string
  retryOf: string | null
  /** Of a run that cannot be retried: its job is run again over the same input. */
  isRetriable?: boolean
  startedAt: string
  finishedAt: string
  exitCode: number
  /** Null when the run came to its end. */
  stoppedBecause: string | null
  totals: Totals
  reasons: Record<string, number>
  requests: { sent: number; rateLimited: number }
  input: { path: string; sha256: string; bytes: number }[]
  /** SHA-256 of the checkpoint's last line. */
  checkpointHead: string
  version: string
}

const count = z.number()

/** The same, from a file. */
export const summarySchema = z.object({
  run: z.string(),
  directory: z.string(),
  job: z.string(),
  instance: z.string(),
  retryOf: z.string().nullable(),
  isRetriable: z.boolean().optional(),
  startedAt: z.string(),
  finishedAt: z.string(),
  exitCode: count,
  stoppedBecause: z.string().nullable(),
  totals: z.object({
    read: count,
    succeeded: count,
    failed: count,
    unknown: count,
    invalid: count,
    duplicate: count,
    filtered: count,
    left: count,
  }),
  reasons: z.record(z.string(), count),
  requests: z.object({ sent: count, rateLimited: count }),
  input: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: count })),
  checkpointHead: z.string(),
  version: z.string(),
})

/** How many items another try may help: what does not exist, or cannot be ended, stays so. */
export function worthRetrying(
  { failed, unknown }: Pick<Totals, 'failed' | 'unknown'>,
  reasons: Record<string, number>,
): number {
  return failed + unknown - (reasons.not_found ?? 0) - (reasons.rejected ?? 0)
}
