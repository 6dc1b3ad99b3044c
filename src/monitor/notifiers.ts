import { hostname } from 'node:os'
import type { RunListener } from '../checkpoint/events.js'
import { jobShortName, type RunFile } from '../checkpoint/run-file.js'
import type { Summary } from '../checkpoint/summary.js'
import { version } from '../system/host.js'
import type { Logger } from '../system/log.js'
import { messageOf } from '../system/text.js'
import { type Notification, type NotificationEvent, type Notifier, withoutPersonal } from './notifier.js'
import { every, type RunView } from './view.js'

/** Notifies everyone of a run. Nothing in here throws, and the run waits for nothing but `close`. */
export interface Notifiers extends RunListener {
  /** Names the run whose events follow. */
  watch(run: RunFile, directory: string, view: () => RunView, log: Logger): void
  ended(summary: Summary): void
  /** The run could not start, or broke off. */
  failed(exitCode: number, because: string): void
  nothingToDo(exitCode: number): void
  readonly isStarted: boolean
  /** Whether one of `ended`, `failed` and `nothingToDo` was called. */
  readonly isLastWordSaid: boolean
  /** Waits a while for the last notifications. */
  close(): Promise<void>
}

/** Shorter than the breaker's first pause. */
const lookMs = 500
/** Earlier notifications may take this long after the last one is sent, */
const earlierMs = 3000
/** and the last one this long. */
const lastMs = 10_000

/** `complain` is called once for each notifier that fails. `job` is how it was typed, if it was. */
export function openNotifiers(
  notifiers: readonly Notifier[],
  job: string | null,
  complain: (text: string) => void,
): Notifiers {
  const earlier = new AbortController()
  const last = new AbortController()
  const queues = notifiers.map((notifier) => new NotifierQueue(notifier, onFault))
  const outages = new OutageWatch()
  let known: Notification = { ...nothingKnown, job: job === null ? null : jobShortName(job) }
  let log: Logger | null = null
  let view: (() => RunView) | null = null
  let isStarted = false
  let isLastWordSaid = false
  let timer: Disposable | undefined
  let looks = 0

  function send(event: NotificationEvent, to = queues, signal = earlier.signal): void {
    for (const queue of to) queue.add({ ...known, event }, signal)
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
      isBreakerOpen: outages.isOpen,
    }
  }

  function look(): void {
    const now = view!()
    looks += 1
    const isOpening = outages.opens(now)
    const isDue = (everyMs: number) => (looks * lookMs) % everyMs < lookMs
    const due = queues.filter(({ notifier, isBusy }) => !isBusy && isDue(notifier.everyMs))
    if (!isOpening && due.length === 0) return
    learn(now)
    if (isOpening) send('breaker-opened')
    else send('going', due)
  }

  /** A fault in here must not reach the run. */
  function safely(act: () => void): void {
    try {
      act()
    } catch (error) {
      log?.warn(`notifiers: ${messageOf(error)}`)
    }
  }

  function sendLast(event: NotificationEvent, fields: Partial<Notification>): void {
    timer?.[Symbol.dispose]()
    isLastWordSaid = true
    known = { ...known, finishedAt: new Date().toISOString(), isBreakerOpen: false, ...fields }
    known.stoppedBecause &&= withoutPersonal(known.stoppedBecause)
    send(event, queues, last.signal)
  }

  return {
    get isStarted() {
      return isStarted
    },
    get isLastWordSaid() {
      return isLastWordSaid
    },
    watch(run, directory, newView, newLog) {
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
    },
    on({ event }) {
      if (event !== 'started' && event !== 'resumed') return
      isStarted = true
      if (queues.length === 0) return
      safely(() => learn(view!()))
      send('started')
      timer = every(lookMs, () => safely(look))
    },
    ended({ input: _input, retryOf: _retryOf, instance: _instance, ...summary }) {
      sendLast(summary.stoppedBecause === null ? 'finished' : 'stopped', summary)
    },
    failed(exitCode, because) {
      sendLast(isStarted ? 'stopped' : 'failed-to-start', { exitCode, stoppedBecause: because })
    },
    nothingToDo(exitCode) {
      sendLast('finished', { exitCode })
    },
    async close() {
      timer?.[Symbol.dispose]()
      const timers = [setTimeout(() => earlier.abort(), earlierMs), setTimeout(() => last.abort(), lastMs)]
      // A disk that hangs cannot be told to give up.
      const enough = new Promise<void>((resolve) => {
        timers.push(setTimeout(resolve, lastMs + lookMs))
      })
      await Promise.race([Promise.all(queues.map(({ last }) => last)), enough])
      for (const timer of timers) clearTimeout(timer)
    },
  }
}

/**
 * The notifications of one notifier, one after the other: a check that heard the end before the start would believe
 * that the run is still at work. Reports a failure when it begins; never throws.
 */
class NotifierQueue {
  readonly notifier: Notifier
  readonly #onFault: (text: string, isFirst: boolean) => void
  #waiting = 0
  #fault = ''
  #hasFailed = false
  /** Resolves when everything is sent, or given up. */
  last: Promise<void> = Promise.resolve()

  constructor(notifier: Notifier, onFault: (text: string, isFirst: boolean) => void) {
    this.notifier = notifier
    this.#onFault = onFault
  }

  get isBusy(): boolean {
    return this.#waiting > 0
  }

  add(notification: Notification, signal: AbortSignal): void {
    this.#waiting += 1
    this.last = this.last
      .then(() => this.notifier.notify(notification, signal))
      .then(() => '', messageOf)
      .then((fault) => this.#sent(fault))
  }

  #sent(fault: string): void {
    this.#waiting -= 1
    if (fault !== '' && fault !== this.#fault) {
      this.#onFault(`${this.notifier.name}: ${fault}`, !this.#hasFailed)
      this.#hasFailed = true
    }
    this.#fault = fault
  }
}

/** An API that fails again and again all night is worth this many notifications. */
const openingsMax = 10

/**
 * Sees in views of a run when the breaker opens. Between two probes the view shows no outage: it is over when, after
 * the last view that showed it, a call has succeeded.
 */
class OutageWatch {
  isOpen = false
  #succeeded = 0
  #openings = 0

  /** Whether an outage begins with this view that is worth a notification. */
  opens({ waiting, tally, read }: Pick<RunView, 'waiting' | 'tally' | 'read'>): boolean {
    const isOutage = waiting.kind === 'outage'
    if (!isOutage && !this.isOpen) return false
    const wasOpen = this.isOpen
    const { succeeded } = tally.totals(read)
    this.isOpen = isOutage || succeeded === this.#succeeded
    if (isOutage) this.#succeeded = succeeded
    if (wasOpen) return false
    this.#openings += 1
    return this.#openings <= openingsMax
  }
}

const nothingKnown: Notification = {
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
