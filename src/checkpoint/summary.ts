import { z } from 'zod'
import { type Status, statuses } from '../item.js'

const count = z.number()

/** How many items have which status. `read` is the sum of the others, `left` the items that are not settled yet. */
const totals = z.object({
  read: count,
  succeeded: count,
  failed: count,
  unknown: count,
  invalid: count,
  duplicate: count,
  filtered: count,
  left: count,
})
export type Totals = z.infer<typeof totals>

/** `summary.json`, and what `run`, `resume` and `retry` end with. The names are contract. */
export const summarySchema = z.object({
  run: z.string(),
  /** The run's directory. */
  directory: z.string(),
  job: z.string(),
  instance: z.string(),
  retryOf: z.string().nullable(),
  /** False when the run cannot be retried: its job is run again over the same input. */
  isRetriable: z.boolean().optional(),
  startedAt: z.string(),
  finishedAt: z.string(),
  exitCode: count,
  /** Null when the run came to its end. */
  stoppedBecause: z.string().nullable(),
  totals,
  reasons: z.record(z.string(), count),
  requests: z.object({ sent: count, rateLimited: count }),
  input: z.array(z.object({ path: z.string(), sha256: z.string(), bytes: count })),
  /** SHA-256 of the checkpoint's last line. */
  checkpointHead: z.string(),
  version: z.string(),
})
export type Summary = z.infer<typeof summarySchema>

/** How many items another try may help: what does not exist, or cannot be ended, stays so. */
export function worthRetrying(
  { failed, unknown }: Pick<Totals, 'failed' | 'unknown'>,
  reasons: Record<string, number>,
): number {
  return failed + unknown - (reasons.not_found ?? 0) - (reasons.rejected ?? 0)
}

/** Counts settled items by status and by reason. */
export class Tally {
  readonly #byStatus = Object.fromEntries(statuses.map((status) => [status, 0])) as Record<Status, number>
  readonly #byReason = new Map<string, number>()

  add(status: Status, reason: string, times = 1): void {
    this.#byStatus[status] += times
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + times)
  }

  clear(): void {
    for (const status of statuses) this.#byStatus[status] = 0
    this.#byReason.clear()
  }

  get settled(): number {
    return Object.values(this.#byStatus).reduce((sum, times) => sum + times, 0)
  }

  /** Items settled by calling the API. */
  get called(): number {
    return this.#byStatus.succeeded + this.failures
  }

  /** Items whose call did not succeed, or may not have. */
  get failures(): number {
    return this.#byStatus.failed + this.#byStatus.unknown
  }

  /** Whether some item needs a person to look at it: exit code 3. */
  get hasTrouble(): boolean {
    return this.failures + this.#byStatus.invalid > 0
  }

  totals(read: number): Totals {
    return { read, ...this.#byStatus, left: read - this.settled }
  }

  reasons(): Record<string, number> {
    return Object.fromEntries([...this.#byReason].sort(([a], [b]) => (a < b ? -1 : 1)))
  }
}
