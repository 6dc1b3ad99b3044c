import { hostname } from 'node:os'
import type { RunFile } from '../checkpoint/run-file.js'
import { jobShortName } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { version } from '../system/host.js'
import type { Logger } from '../system/log.js'
import { messageOf } from '../system/text.js'
import { BreakerWatch } from './breaker-watch.js'
import { NoticeLine } from './notice-line.js'
import { type NewsEvent, type Notice, type RunNews, withoutPersonal } from './notifier.js'
import type { RunView } from './progress.js'

/** Those who are told of a run. Nothing in here throws, and the run waits for nothing but `close`. */
export interface Notices {
  /** The run begins; from now on it is looked at. */
  started(run: RunFile, directory: string, view: () => RunView, log: Logger): void
  ended(summary: Summary): void
  /** The run could not start, or broke off. */
  failed(exitCode: number, because: string): void
  /** There was nothing to run. */
  nothingToDo(exitCode: number): void
  readonly isStarted: boolean
  /** Whether anything of the above but `started` was said. */
  readonly isLastWordSaid: boolean
  /** Gives the last word some time to get through. */
  close(): Promise<void>
}

export interface NoticesPatience {
  /** How often the run is looked at; shorter than the breaker's first pause. */
  lookMs: number
  /** When the last word is said, what was said before may still take so long. */
  earlierMs: number
  /** And the last word so long. */
  lastWordMs: number
}

const usualPatience: NoticesPatience = { lookMs: 500, earlierMs: 3000, lastWordMs: 10_000 }

/** `complain` is told once of each notice that fails. `job` is how it was typed, if it was. */
export function openNotices(
  notices: readonly Notice[],
  job: string | null,
  complain: (text: string) => void,
  patience = usualPatience,
): Notices {
  const earlier = new AbortController()
  const lastWord = new AbortController()
  const lines = notices.map((notice) => new NoticeLine(notice, onFault))
  let known: RunNews = { ...nothingKnown, job: job === null ? null : jobShortName(job) }
  let log: Logger | null = null
  let view: (() => RunView) | null = null
  let isStarted = false
  let isLastWordSaid = false
  let timer: NodeJS.Timeout | undefined
  let looks = 0
  const breaker = new BreakerWatch()

  function say(event: NewsEvent, to = lines, signal = earlier.signal): void {
    for (const line of to) line.tell({ ...known, event }, signal)
  }

  function onFault(text: string, isFirst: boolean): void {
    log?.warn(text)
    if (isFirst) complain(`ada-bulk: ${text}. The run itself is not affected.`)
  }

  function learn({ read, tally, requests }: RunView): void {
    known = {
      ...known,
      totals: tally.totals(read),
      reasons: tally.reasons(),
      requests: { ...requests },
      isBreakerOpen: breaker.isOpen,
    }
  }

  function look(): void {
    const now = view!()
    looks += 1
    const isNews = breaker.isNews(now)
    const isDue = (everyMs: number) => (looks * patience.lookMs) % everyMs < patience.lookMs
    const due = lines.filter(({ notice, isBusy }) => !isBusy && isDue(notice.everyMs))
    if (!isNews && due.length === 0) return
    learn(now)
    if (isNews) say('breaker-opened')
    else say('going', due)
  }

  /** Whatever is wrong in here, it is not the run's fault. */
  function apart(act: () => void): void {
    try {
      act()
    } catch (error) {
      log?.warn(`notices: ${messageOf(error)}`)
    }
  }

  function sayLastWord(event: NewsEvent, what: Partial<RunNews>): void {
    clearInterval(timer)
    isLastWordSaid = true
    known = { ...known, finishedAt: new Date().toISOString(), isBreakerOpen: false, ...what }
    known.stoppedBecause &&= withoutPersonal(known.stoppedBecause)
    say(event, lines, lastWord.signal)
  }

  return {
    get isStarted() {
      return isStarted
    },
    get isLastWordSaid() {
      return isLastWordSaid
    },
    started(run, directory, newView, newLog) {
      isStarted = true
      view = newView
      log = newLog
      known = {
        ...known,
        run: run.run,
        job: jobShortName(run.job),
        // Each sandbox has another address.
        instance: run.isSandbox ? 'sandbox' : run.instance,
        directory,
        startedAt: run.startedAt,
      }
      if (lines.length === 0) return
      apart(() => learn(newView()))
      say('started')
      timer = setInterval(() => apart(look), patience.lookMs).unref()
    },
    ended({ input: _input, retryOf: _retryOf, instance: _instance, ...summary }) {
      sayLastWord(summary.stoppedBecause === null ? 'finished' : 'stopped', summary)
    },
    failed(exitCode, because) {
      sayLastWord(isStarted ? 'stopped' : 'failed-to-start', { exitCode, stoppedBecause: because })
    },
    nothingToDo(exitCode) {
      sayLastWord('finished', { exitCode })
    },
    async close() {
      clearInterval(timer)
      const told = Promise.all(lines.map(({ last }) => last))
      const timers = [
        setTimeout(() => earlier.abort(), patience.earlierMs),
        setTimeout(() => lastWord.abort(), patience.lastWordMs),
      ]
      // A disk that hangs cannot be told to give up.
      const enough = new Promise<void>((resolve) => {
        timers.push(setTimeout(resolve, patience.lastWordMs + patience.lookMs))
      })
      await Promise.race([told, enough])
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

const nothingKnown: RunNews = {
  event: 'failed-to-start',
  run: null,
  job: null,
  instance: null,
  directory: null,
  startedAt: null,
  finishedAt: null,
  exitCode: null,
  stoppedBecause: null,
  totals: null,
  reasons: {},
  requests: { sent: 0, rateLimited: 0 },
  checkpointHead: null,
  isBreakerOpen: false,
  host: hostname(),
  version,
}
