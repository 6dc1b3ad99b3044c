import type { AnyOperation } from '../job.js'
import { callsAgoMs } from '../pacing/file.js'
import { systemClock } from '../system/clock.js'

/** What the ledger is called that the calls of an operation to an instance share. */
export function ledgerName(origin: string, { area }: Pick<AnyOperation, 'area'>): string {
  return area === undefined ? origin : `${origin}/${area}`
}

/**
 * How long ago calls of this host to the instance were answered, the oldest first, for a forecast. What cannot be
 * read is left out: without it the forecast is only a window too early.
 */
export function recentCallsAgoMs(
  stateDirectory: string,
  origin: string,
  operation: Pick<AnyOperation, 'area'>,
): number[] {
  try {
    return callsAgoMs({
      directory: stateDirectory,
      instance: ledgerName(origin, operation),
      clock: systemClock,
    })
  } catch {
    return []
  }
}
