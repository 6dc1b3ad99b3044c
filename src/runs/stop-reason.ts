import { LogWriteError } from '../checkpoint/log.js'
import type { Tally } from '../checkpoint/summary.js'
import { KeyRefusedError } from '../operations/retry.js'
import { ApiDownError } from '../pacing/breaker.js'
import { LedgerLostError } from '../pacing/ledger.js'
import type { FailureLimit } from '../settings/values.js'
import { UsageError } from '../system/errors.js'
import type { Logger } from '../system/log.js'
import { type Stop, Stopped } from '../system/stop.js'
import { messageOf } from '../system/text.js'

/** In the middle of a run a UsageError is the ledger's: its disk is full, or was taken away. */
const forPerson = [KeyRefusedError, ApiDownError, LogWriteError, UsageError]

/** Stops the run that met this error; the item stays unsettled. Throws what is a bug. */
export function stopBecauseOf(error: unknown, stop: Stop, log: Logger): void {
  if (error instanceof Stopped) return
  const isForLater = error instanceof LedgerLostError
  const isBug = !isForLater && !forPerson.some((kind) => error instanceof kind)
  const because = isBug ? messageOf(error) : (error as Error).message
  stop.request({ exitCode: isForLater ? 75 : 4, because })
  if (isBug) throw error
  log.error(because)
}

/** A percentage says little before so many items are settled by calling. */
const ratioCountsFrom = 100

/** Why the run has to stop for a person to look, by the number of failures; null when it may go on. */
export function tooManyFailures(
  { failures, called }: Pick<Tally, 'failures' | 'called'>,
  limit: FailureLimit,
): string | null {
  if (limit.count !== null && failures > limit.count) {
    return `${failures} items failed, more than --max-failures ${limit.count} allows`
  }
  if (limit.ratio !== null && called >= ratioCountsFrom && failures > called * limit.ratio) {
    const percent = Math.round((failures / called) * 1000) / 10
    // 0.07 × 100 is 7.000000000000001 in floating point.
    const allowed = Number((limit.ratio * 100).toFixed(6))
    return `${failures} of ${called} items failed (${percent} %), more than --max-failures ${allowed}% allows`
  }
  return null
}
