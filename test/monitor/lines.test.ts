import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { jsonProgress, plainProgress, progressText } from '../../src/monitor/lines.js'
import type { RunView } from '../../src/monitor/view.js'
import type { Waiting } from '../../src/pacing/admission.js'

function viewOf(changes: Partial<RunView> = {}): RunView {
  const tally = new Tally()
  tally.add('succeeded', 'ended', 1180)
  tally.add('failed', 'not_found', 2)
  tally.add('filtered', 'on_hold', 18)
  return {
    read: 40_000,
    tally,
    requests: { sent: 1190, rateLimited: 0 },
    settledLastMinute: 0,
    endsAtMs: null,
    waitsUntilMs: null,
    waiting: { kind: 'nothing' },
    stoppingBecause: null,
    ...changes,
  }
}

const noon = new Date(2026, 10, 22, 12, 0)
beforeEach(() => {
  vi.useFakeTimers({ now: noon })
})
afterEach(() => {
  vi.useRealTimers()
})

const counts = '1,200/40,000: 1,180 succeeded, 2 failed, 18 filtered'

describe('a run in one line', () => {
  test('says how far it is and the outcomes that there are', () => {
    expect(progressText(viewOf())).toBe(counts)
    expect(progressText(viewOf({ tally: new Tally() }))).toBe('0/40,000')
  })

  test.each<[Waiting, string]>([
    [{ kind: 'window', window: { max: 240, perMs: 60_000 } }, 'waiting for the window 240/m'],
    [{ kind: 'giving_way', window: { max: 90, perMs: 60_000 } }, 'giving way to others: 90/m'],
    [{ kind: 'paused' }, 'paused until `ada-bulk continue`'],
    [{ kind: 'rate_limited', untilMs: 0 }, 'waiting: the API answered 429'],
    [{ kind: 'quota', untilMs: 0 }, 'waiting: the API has no calls left for us'],
    [{ kind: 'outage', untilMs: 0 }, 'waiting: the API is failing'],
    [{ kind: 'hours', untilMs: 0 }, 'waiting for --hours'],
  ])('says what the run waits for: %o', (waiting, text) => {
    expect(progressText(viewOf({ waiting }))).toBe(`${counts}; ${text}`)
  })

  test('says the pace and the time of the end', () => {
    const endsAtMs = noon.getTime() + 90 * 60_000
    expect(progressText(viewOf({ settledLastMinute: 240, endsAtMs }))).toBe(`${counts}; 240/min, until 13:30`)
    const waiting: Waiting = { kind: 'rate_limited', untilMs: 0 }
    expect(progressText(viewOf({ waiting, waitsUntilMs: endsAtMs }))).toBe(
      `${counts}; waiting until 13:30: the API answered 429`,
    )
  })

  test('says why it is stopping instead', () => {
    const waiting: Waiting = { kind: 'outage', untilMs: 0 }
    expect(progressText(viewOf({ waiting, stoppingBecause: 'SIGINT received' }))).toBe(
      `${counts}; stopping: SIGINT received`,
    )
  })
})

test('plain progress is a line every ten seconds and one at the end, and is then still', () => {
  const lines: string[] = []
  const tally = new Tally()
  const progress = plainProgress(
    () => viewOf({ read: 40, tally }),
    (line) => lines.push(line),
  )
  vi.advanceTimersByTime(9999)
  expect(lines).toEqual([])
  vi.advanceTimersByTime(1)
  tally.add('succeeded', 'ended', 12)
  vi.advanceTimersByTime(10_000)
  expect(lines).toEqual(['0/40', '12/40: 12 succeeded'])
  tally.add('succeeded', 'ended', 28)
  progress.stop()
  progress.stop()
  vi.advanceTimersByTime(100_000)
  expect(lines.slice(2)).toEqual(['40/40: 40 succeeded'])
})

test('progress in JSON is an object a line, at the start, every ten seconds and at the end', () => {
  const lines: string[] = []
  const tally = new Tally()
  const view = () => viewOf({ read: 40, tally, waiting: { kind: 'paused' } })
  const progress = jsonProgress(view, (line) => lines.push(line))
  tally.add('succeeded', 'ended', 12)
  vi.advanceTimersByTime(10_000)
  progress.stop()
  progress.stop()
  vi.advanceTimersByTime(100_000)
  const objects = lines.map((line) => JSON.parse(line))
  expect(objects.map(({ totals }) => [totals.succeeded, totals.left])).toEqual([[0, 40], [12, 28], [12, 28]]) // biome-ignore format: a table
  expect(objects[0]).toMatchObject({ waitingFor: 'paused', finishesAt: null })
})
