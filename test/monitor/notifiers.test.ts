import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { RunFile } from '../../src/checkpoint/run-file.js'
import type { Summary } from '../../src/checkpoint/summary.js'
import { Tally } from '../../src/checkpoint/summary.js'
import type { Notification, Notifier } from '../../src/monitor/notifier.js'
import { type Notifiers, openNotifiers } from '../../src/monitor/notifiers.js'
import type { RunView } from '../../src/monitor/view.js'
import type { Logger } from '../../src/system/log.js'

beforeEach(() => {
  vi.useFakeTimers()
})
const opened: Notifiers[] = []
afterEach(() => {
  for (const notifiers of opened.splice(0)) void notifiers.close()
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

/** A notifier, and what it is given. */
function recording(notify: Notifier['notify'] = async () => {}, everyMs = Number.POSITIVE_INFINITY) {
  const sent: Notification[] = []
  const notifier: Notifier = {
    name: '--notify https://ops.example.com',
    everyMs,
    async notify(notification, signal) {
      sent.push(notification)
      await notify(notification, signal)
    },
  }
  return { notifier, sent, events: () => sent.map(({ event }) => event) }
}

const started = {
  event: 'started',
  at: run.startedAt,
  by: 'kim',
  host: 'ops',
  pid: 1,
  version: '0.1.0',
  confirmed: 40,
} as const

function scene(...notifiers: Notifier[]) {
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
  const all = openNotifiers(notifiers, '/srv/jobs/cleanup.ts', (text) => complaints.push(text))
  opened.push(all)
  return {
    all,
    view,
    complaints,
    logged,
    start() {
      all.watch(run, '/srv/runs/tonight', () => view, log)
      all.on({ ...started, settings: run.settings })
    },
    /** How long the end of the command was held up. */
    async closedAfterMs(): Promise<number> {
      const from = Date.now()
      const closed = all.close().then(() => Date.now() - from)
      await vi.advanceTimersByTimeAsync(60_000)
      return closed
    },
  }
}

test('a run is notified of from start to end, as often as each notifier wants', async () => {
  const [patient, curious] = [recording(), recording(undefined, 15_000)]
  const { all, start, view, closedAfterMs } = scene(patient.notifier, curious.notifier)
  start()
  await vi.advanceTimersByTimeAsync(15_000)
  view.tally.add('succeeded', 'ended', 12)
  await vi.advanceTimersByTimeAsync(15_000)
  all.ended(summary)
  expect(await closedAfterMs()).toBe(0)
  expect(patient.events()).toEqual(['started', 'stopped'])
  expect(curious.events()).toEqual(['started', 'going', 'going', 'stopped'])
  expect(curious.sent[2]).toMatchObject({ totals: { succeeded: 12, left: 28 }, exitCode: null })
  expect(curious.sent[3]).toMatchObject({ exitCode: 4, totals: { left: 40 }, directory: '/srv/runs/tonight' })
})

test('no file name and nothing about a person is sent', async () => {
  const { notifier, sent } = recording()
  const { all, start, closedAfterMs } = scene(notifier)
  start()
  all.ended(summary)
  await closedAfterMs()
  expect(JSON.stringify(sent)).not.toMatch(/mia/)
  expect(sent[1]).toMatchObject({ stoppedBecause: 'Last: no row for [address]' })
})

describe('an outage', () => {
  const outage = { kind: 'outage', untilMs: 0 } as const
  const nothing = { kind: 'nothing' } as const

  /** How many openings are sent after each view: its reason to wait, and how many items have succeeded. */
  async function openingsAfter(...views: [RunView['waiting'], number][]): Promise<number[]> {
    const { notifier, sent } = recording()
    const { start, view } = scene(notifier)
    start()
    const openings: number[] = []
    for (const [waiting, succeeded] of views) {
      view.waiting = waiting
      view.tally.add('succeeded', 'ended', succeeded - view.tally.settled)
      await vi.advanceTimersByTimeAsync(500)
      const opened = sent.filter(({ event }) => event === 'breaker-opened')
      expect(opened.every(({ isBreakerOpen }) => isBreakerOpen)).toBe(true)
      openings.push(opened.length)
    }
    return openings
  }

  test('is sent once, however long it lasts and whatever is seen between two probes', async () => {
    expect(await openingsAfter([nothing, 5], [outage, 5], [outage, 5], [nothing, 5], [outage, 5])).toEqual([
      0, 1, 1, 1, 1,
    ])
  })

  test('is not over when calls succeed that were in flight when it began', async () => {
    expect(await openingsAfter([outage, 5], [outage, 7], [nothing, 7], [outage, 7])).toEqual([1, 1, 1, 1])
  })

  test('is over when a call has succeeded, and the next one is sent again', async () => {
    expect(await openingsAfter([outage, 5], [nothing, 6], [nothing, 6], [outage, 9])).toEqual([1, 1, 1, 2])
  })

  test('that comes and goes is sent ten times', async () => {
    const views = Array.from({ length: 15 }, (_, index): [RunView['waiting'], number][] => [
      [outage, index],
      [nothing, index + 1],
    ])
    expect((await openingsAfter(...views.flat())).at(-1)).toBe(10)
  })
})

test('a run that could not start is named by its job, and one that broke off has stopped', async () => {
  const { notifier, sent } = recording()
  const early = scene(notifier)
  early.all.failed(2, 'no API key.')
  await early.closedAfterMs()
  const late = scene(notifier)
  late.start()
  late.all.failed(1, 'a bug')
  await late.closedAfterMs()
  expect(sent).toMatchObject([
    { event: 'failed-to-start', job: 'cleanup', run: null, exitCode: 2, stoppedBecause: 'no API key.' },
    { event: 'started' },
    { event: 'stopped', run: run.run, exitCode: 1 },
  ])
})

describe('a notifier that fails', () => {
  test('is a line in the log each time that it begins to, and a line on stderr once', async () => {
    const faults = ['HTTP 500', 'HTTP 500', '', 'HTTP 500', 'ECONNREFUSED']
    const { notifier } = recording(async () => {
      const fault = faults.shift()
      if (fault) throw new Error(fault)
    }, 15_000)
    const { start, logged, complaints } = scene(notifier)
    start()
    await vi.advanceTimersByTimeAsync(90_000)
    const text = '--notify https://ops.example.com: '
    expect(logged).toEqual([`${text}HTTP 500`, `${text}HTTP 500`, `${text}ECONNREFUSED`])
    expect(complaints).toEqual([`ada-bulk: ${text}HTTP 500. The run itself is not affected.`])
  })

  test('does not keep the others from being sent', async () => {
    const broken = recording(() => {
      throw new Error('HTTP 500')
    })
    const well = recording()
    const { all, start, closedAfterMs } = scene(broken.notifier, well.notifier)
    start()
    all.ended(summary)
    await closedAfterMs()
    expect(well.events()).toEqual(['started', 'stopped'])
  })
})

describe('a notifier that hangs', () => {
  /** As a call does: until it is told to give up. */
  const untilAborted: Notifier['notify'] = (_, signal) =>
    new Promise((_resolve, reject) => {
      const giveUp = () => reject(new Error('no answer in time'))
      if (signal.aborted) giveUp()
      signal.addEventListener('abort', giveUp)
    })

  test('delays the end for ten seconds at most, and still gets the last notification', async () => {
    const { notifier, events } = recording(untilAborted, 500)
    const { all, start, complaints, closedAfterMs } = scene(notifier)
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
    const { notifier } = recording(() => new Promise(() => {}))
    const { all, start, closedAfterMs } = scene(notifier)
    start()
    all.ended(summary)
    expect(await closedAfterMs()).toBeLessThan(11_000)
  })
})

test('without notifiers nothing is done', async () => {
  const { all, start, closedAfterMs } = scene()
  start()
  expect(vi.getTimerCount()).toBe(0)
  all.ended(summary)
  expect(await closedAfterMs()).toBe(0)
})
