import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import { estimateMs, finishMs } from '../pacing/eta.js'
import type { Limiter } from '../pacing/limiter.js'
import type { Clock } from '../system/clock.js'
import type { Stop } from '../system/stop.js'
import type { RunView } from './progress.js'
import type { RateMeter } from './rate-meter.js'

/** What a run is looked at through. */
export interface Viewed {
  run: RunFile
  state: CheckpointState
  limiter: Limiter
  /** Counts the items that are settled by calling. */
  meter: RateMeter
  stop: Stop
  clock: Clock
  /** When Ada's own jobs are over nobody can say. */
  waitsForJobs: boolean
}

export function viewOf(viewed: Viewed): RunView {
  const { run, state, limiter, meter, stop, clock } = viewed
  const waiting = limiter.waiting()
  const untilMs = 'untilMs' in waiting ? waiting.untilMs : null
  return {
    read: run.plan.read,
    tally: state.tally,
    requests: state.requests,
    settledLastMinute: meter.lastMinute(),
    endsAtMs: endsAtMs(viewed),
    waiting,
    waitsUntilMs: untilMs === null ? null : Math.round(clock.wallMs() + untilMs - clock.monotonicMs()),
    stoppingBecause: stop.reason?.because ?? null,
  }
}

/** By the pace of the last minute; in the first, by what the windows allow. */
function endsAtMs({ run, state, limiter, meter, clock, waitsForJobs }: Viewed): number | null {
  if (waitsForJobs) return null
  const { windows, share, isPaused } = limiter.pace()
  const { checkFirst, hours } = run.settings
  const items = Math.max(0, run.plan.calls - state.tally.called)
  const perMinute = meter.lastMinute()
  if (isPaused || (meter.isWarm && perMinute === 0 && hours === null)) return null
  const workMs =
    meter.isWarm && perMinute > 0
      ? (items / perMinute) * 60_000
      : estimateMs(items * (checkFirst ? 2 : 1), windows, share)
  return finishMs(clock.wallMs(), workMs, hours)
}
