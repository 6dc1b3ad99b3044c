import type { Tally } from '../checkpoint/tally.js'
import type { FailureLimit } from '../settings/values.js'

/** A percentage says little before so many items are settled by calling. */
const ratioCountsFrom = 100

/** Why the run must stop for a person to look, by the number of failures; null when it may go on. */
export function tooManyFailures(
  tally: Pick<Tally, 'failures' | 'called'>,
  limit: FailureLimit,
): string | null {
  const { failures, called } = tally
  if (limit.count !== null && failures > limit.count) {
    return `${failures} items failed, more than --max-failures ${limit.count} allows`
  }
  if (limit.ratio !== null && called >= ratioCountsFrom && failures > called * limit.ratio) {
    const percent = Math.round((failures / called) * 1000) / 10
    // 0.07 × 100 is 7.000000000000001 to a computer.
    const allowed = Number((limit.ratio * 100).toFixed(6))
    return `${failures} of ${called} items failed (${percent} %), more than --max-failures ${allowed}% allows`
  }
  return null
}
