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

/** How many items another try may help: what does not exist, or cannot be ended, stays so. */
export function worthRetrying(
  { failed, unknown }: Pick<Totals, 'failed' | 'unknown'>,
  reasons: Record<string, number>,
): number {
  return failed + unknown - (reasons.not_found ?? 0) - (reasons.rejected ?? 0)
}
