import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunFile } from '../../src/checkpoint/run-file.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import { Tally } from '../../src/checkpoint/summary.js'
import type { Notice, RunNews } from '../../src/monitor/notifier.js'
import { openNotices } from '../../src/monitor/notifiers.js'
import type { RunView } from '../../src/monitor/progress.js'
import type { Logger } from '../../src/system/log.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const run = {
  run: 'cleanup-2026-11-22T01-00-00',
  job: 'cleanup',
  instance: 'https://acme.ada.support',
  isSandbox: false,
  startedAt: '2026-11-22T01:00:00.000Z',
} as RunFile

const summary: Summary = {
  run: run.run,
  directory: '/srv/runs/tonight',
  job: 'cleanup',
  instance: run.instance,
  retryOf: null,
  startedAt: run.startedAt,
  finishedAt: '2026-11-22T01:05:00.000Z',
  exitCode: 4,
  stoppedBecause: 'Last: no row for mia@example.com',
  totals: new Tally().totals(40),
  reasons: {},
  requests: { sent: 40, rateLimited: 0 },
  input: [{ path: 'mia-lopez.csv', sha256: 'f2ca', bytes: 10 }],
  checkpointHead: 'f2ca',
  version: '0.1.0',
}

/** One that is told, by a word for each piece of news. */
function told(tell: Notice['tell'] = async () => {}, everyMs = Number.POSITIVE_INFINITY) {
  const news: RunNews[] = []
  const notice: Notice = {
    name: '--notify https://ops.example.com',
    everyMs,
    async tell(one, signal) {
      news.push(one)
      await tell(one, signal)
    },
  }
  return { notice, news, events: () => news.map(({ event }) => event) }
}

function scene(...notices: Notice[]) {
  const complaints: string[] = []
  const logged: string[] = []
  const view: RunView = {
    read: 40,
    tally: new Tally(),
    requests: { sent: 0, rateLimited: 0 },
    waiting: { kind: 'nothing' },
    settledLastMinute: 0,
    endsAtMs: null,
    waitsUntilMs: null,
    stoppingBecause: null,
  }
  const log = { warn: (text: string) => logged.push(text) } as unknown as Logger
  const all = openNotices(notices, '/srv/jobs/cleanup.ts', (text) => complaints.push(text))
  return {
    all,
    view,
    complaints,
    logged,
    start: () => all.started(run, '/srv/runs/tonight', () => view, log),
    /** How long the end of the command was held up. */
    async closedAfterMs(): Promise<number> {
      const from = Date.now()
      const closed = all.close().then(() => Date.now() - from)
      await vi.advanceTimersByTimeAsync(60_000)
      return closed
    },
  }
}

test('a run is told from start to end, as often as each wants to hear of it', async () => {
  const [patient, curious] = [told(), told(undefined, 15_000)]
  const { all, start, view, closedAfterMs } = scene(patient.notice, curious.notice)
  start()
  await vi.advanceTimersByTimeAsync(15_000)
  view.tally.add('succeeded', 'ended', 12)
  await vi.advanceTimersByTimeAsync(15_000)
  all.ended(summary)
  expect(await closedAfterMs()).toBe(0)
  expect(patient.events()).toEqual(['started', 'stopped'])
  expect(curious.events()).toEqual(['started', 'going', 'going', 'stopped'])
  expect(curious.news[2]).toMatchObject({ totals: { succeeded: 12, left: 28 }, exitCode: null })
  expect(curious.news[3]).toMatchObject({ exitCode: 4, totals: { left: 40 }, directory: '/srv/runs/tonight' })
})

test('no file names and nothing about a person is told', async () => {
  const { notice, news } = told()
  const { all, start, closedAfterMs } = scene(notice)
  start()
  all.ended(summary)
  await closedAfterMs()
  expect(JSON.stringify(news)).not.toMatch(/mia/)
  expect(news[1]).toMatchObject({ stoppedBecause: 'Last: no row for [address]' })
})

test('the breaker is told when it opens', async () => {
  const { notice, events, news } = told()
  const { start, view } = scene(notice)
  start()
  view.waiting = { kind: 'outage', untilMs: 0 }
  await vi.advanceTimersByTimeAsync(60_000)
  expect(events()).toEqual(['started', 'breaker-opened'])
  expect(news[1]).toMatchObject({ isBreakerOpen: true })
})

test('that a run could not start is told under the job’s name, and once started it has stopped', async () => {
  const { notice, news } = told()
  const early = scene(notice)
  early.all.failed(2, 'no API key.')
  await early.closedAfterMs()
  const late = scene(notice)
  late.start()
  late.all.failed(1, 'a bug')
  await late.closedAfterMs()
  expect(news).toMatchObject([
    { event: 'failed-to-start', job: 'cleanup', run: null, exitCode: 2, stoppedBecause: 'no API key.' },
    { event: 'started' },
    { event: 'stopped', run: run.run, exitCode: 1 },
  ])
})

describe('a notice that fails', () => {
  test('is a line in the log each time that it begins to, and a line on stderr once', async () => {
    const faults = ['HTTP 500', 'HTTP 500', '', 'HTTP 500', 'ECONNREFUSED']
    const { notice } = told(async () => {
      const fault = faults.shift()
      if (fault) throw new Error(fault)
    }, 15_000)
    const { start, logged, complaints } = scene(notice)
    start()
    await vi.advanceTimersByTimeAsync(90_000)
    const text = '--notify https://ops.example.com: '
    expect(logged).toEqual([`${text}HTTP 500`, `${text}HTTP 500`, `${text}ECONNREFUSED`])
    expect(complaints).toEqual([`ada-bulk: ${text}HTTP 500. The run itself is not affected.`])
  })

  test('does not keep the others from being told', async () => {
    const broken = told(() => {
      throw new Error('HTTP 500')
    })
    const well = told()
    const { all, start, closedAfterMs } = scene(broken.notice, well.notice)
    start()
    all.ended(summary)
    await closedAfterMs()
    expect(well.events()).toEqual(['started', 'stopped'])
  })
})

describe('a notice that hangs', () => {
  /** As a call does: until it is told to give up. */
  const untilAborted: Notice['tell'] = (_, signal) =>
    new Promise((_resolve, reject) => {
      const giveUp = () => reject(new Error('no answer in time'))
      if (signal.aborted) giveUp()
      signal.addEventListener('abort', giveUp)
    })

  test('holds the end up for ten seconds at most, and is told the last word all the same', async () => {
    const { notice, events } = told(untilAborted, 500)
    const { all, start, complaints, closedAfterMs } = scene(notice)
    start()
    await vi.advanceTimersByTimeAsync(60_000)
    // What it misses meanwhile does not pile up.
    expect(events()).toEqual(['started'])
    all.ended(summary)
    expect(await closedAfterMs()).toBe(10_000)
    expect(events()).toEqual(['started', 'stopped'])
    expect(complaints).toHaveLength(1)
  })

  test('and cannot give up, as on a disk that is gone, is left behind', async () => {
    const { notice } = told(() => new Promise(() => {}))
    const { all, start, closedAfterMs } = scene(notice)
    start()
    all.ended(summary)
    expect(await closedAfterMs()).toBeLessThan(11_000)
  })
})

test('where nobody is told, nothing is done', async () => {
  const { all, start, closedAfterMs } = scene()
  start()
  expect(vi.getTimerCount()).toBe(0)
  all.ended(summary)
  expect(await closedAfterMs()).toBe(0)
})
