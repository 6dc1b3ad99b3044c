import type { RunEvent, RunListener } from '../checkpoint/events.js'
import type { CheckpointState } from '../checkpoint/read.js'
import type { RunFile } from '../checkpoint/run-file.js'
import type { Tally } from '../checkpoint/summary.js'
import type { Waiting } from '../pacing/admission.js'
import { allowedWindows } from '../pacing/allowance.js'
import { estimateMs, finishMs } from '../pacing/eta.js'
import type { Limiter } from '../pacing/limiter.js'
import type { Clock } from '../system/clock.js'
import type { Stop } from '../system/stop.js'

/** The progress of a run at one moment. */
export interface RunView {
  /** Items of the whole input. */
  read: number
  tally: Tally
  requests: { sent: number; rateLimited: number }
  /** Items settled by calling in the last minute. */
  settledLastMinute: number
  /** When all will be done at this pace (Unix); null while that cannot be told. */
  endsAtMs: number | null
  waiting: Waiting
  /** When the waiting ends at the latest (Unix); null where that is not known. */
  waitsUntilMs: number | null
  /** Set when the run was asked to stop. */
  stoppingBecause: string | null
}

/** Makes the view of a run whose events `meter` hears. `waitsForJobs`: nobody can tell when Ada's own jobs are over. */
export function viewer(
  { plan, settings }: RunFile,
  { tally, requests }: CheckpointState,
  limiter: Limiter,
  meter: RateMeter,
  stop: Stop,
  clock: Clock,
  waitsForJobs: boolean,
): () => RunView {
  return () => {
    const waiting = limiter.waiting()
    const untilMs = 'untilMs' in waiting ? waiting.untilMs : null
    return {
      read: plan.read,
      tally,
      requests,
      settledLastMinute: meter.lastMinute(),
      endsAtMs: waitsForJobs ? null : endsAtMs(),
      waiting,
      waitsUntilMs: untilMs === null ? null : Math.round(clock.wallMs() + untilMs - clock.monotonicMs()),
      stoppingBecause: stop.reason?.because ?? null,
    }
  }

  /** By the pace of the last minute; in the first minute, by what the windows allow. */
  function endsAtMs(): number | null {
    const { caps, share, isPaused } = limiter.pace()
    const { checkFirst, hours, limits } = settings
    const items = Math.max(0, plan.calls - tally.called)
    const perMinute = meter.lastMinute()
    if (isPaused || (meter.isWarm && perMinute === 0 && hours === null)) return null
    const workMs =
      meter.isWarm && perMinute > 0
        ? (items / perMinute) * meterMs
        : estimateMs(items * (checkFirst ? 2 : 1), allowedWindows({ limits, caps, share }, clock.wallMs()))
    return finishMs(clock.wallMs(), workMs, hours)
  }
}

const meterMs = 60_000

/** Counts the items that were settled by calling in the last minute; exact to the second. */
export class RateMeter implements RunListener {
  readonly #clock: Clock
  readonly #startMs: number
  /** By second of the last minute. */
  readonly #seconds = Array.from({ length: 60 }, () => ({ second: -1, times: 0 }))

  constructor(clock: Clock) {
    this.#clock = clock
    this.#startMs = clock.monotonicMs()
  }

  on(event: RunEvent): void {
    if (event.event !== 'settled' || event.settled.attempts === 0) return
    const second = this.#second()
    const slot = this.#seconds[second % 60]!
    if (slot.second === second) slot.times++
    else this.#seconds[second % 60] = { second, times: 1 }
  }

  lastMinute(): number {
    const now = this.#second()
    return this.#seconds.reduce((sum, { second, times }) => (second > now - 60 ? sum + times : sum), 0)
  }

  /** Before, the last minute says nothing about the next. */
  get isWarm(): boolean {
    return this.#clock.monotonicMs() - this.#startMs >= meterMs
  }

  #second(): number {
    return Math.floor((this.#clock.monotonicMs() - this.#startMs) / 1000)
  }
}

const tickMs = 250
const ticking = new Set<() => void>()
let ticker: NodeJS.Timeout | undefined

/** Calls `act` at intervals, a multiple of 250 ms, by one timer for everything that watches a run. It keeps no process alive. */
export function every(intervalMs: number, act: () => void): Disposable {
  let ticks = 0
  const tick = () => {
    ticks += 1
    if ((ticks * tickMs) % intervalMs === 0) act()
  }
  ticking.add(tick)
  ticker ??= setInterval(() => {
    for (const each of ticking) each()
  }, tickMs).unref()
  return {
    [Symbol.dispose]() {
      ticking.delete(tick)
      if (ticking.size > 0) return
      clearInterval(ticker)
      ticker = undefined
    },
  }
}
