import { describe, expect, test } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { progressText, type RunView } from '../../src/monitor/progress.js'
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

const counts = '1,200/40,000: 1,180 succeeded, 2 failed, 18 filtered'

describe('a run in one line', () => {
  test('says how far it is and what came of the items, and no word about what did not happen', () => {
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
  ])('says what it waits for: %o', (waiting, text) => {
    expect(progressText(viewOf({ waiting }))).toBe(`${counts}; ${text}`)
  })

  test('says how fast it goes and when it is done', () => {
    const noon = new Date(2026, 10, 22, 12, 0)
    const endsAtMs = noon.getTime() + 90 * 60_000
    expect(progressText(viewOf({ settledLastMinute: 240, endsAtMs }), noon)).toBe(
      `${counts}; 240/min, until 13:30`,
    )
    const waiting: Waiting = { kind: 'rate_limited', untilMs: 0 }
    expect(progressText(viewOf({ waiting, waitsUntilMs: endsAtMs }), noon)).toBe(
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
