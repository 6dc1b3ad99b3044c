import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { notSettledBefore } from '../../src/filters/settled-before.js'
import {
  beginsDaysAgo,
  dayMs,
  daysAgo,
  ended,
  failed,
  fileOf,
  id,
  memory,
  nowMs,
  onHold,
  outcome,
  reopen,
  span,
  voice,
} from './memory-scene.js'

describe('what an outcome says about the conversation', () => {
  test.each([
    outcome('succeeded', 'ended', 200),
    outcome('succeeded', 'already_ended', 400),
    outcome('succeeded', 'ended_on_retry', 400),
  ])('$reason: it needs no call any more, whatever touches it', (settled) => {
    memory.remember(id, daysAgo(20), settled, nowMs)
    expect(memory.isSettled(id, daysAgo(20))).toBe(true)
    expect(memory.isSettled(id, daysAgo(1))).toBe(true)
    expect(memory.isSettled(id, null)).toBe(true)
  })

  test.each([
    outcome('failed', 'not_found', 404),
    outcome('failed', 'rejected', 400),
    outcome('failed', 'rejected', 422),
    outcome('failed', 'rejected', 410),
  ])('$reason $httpStatus: another call would say the same, until it is touched', (settled) => {
    memory.remember(id, daysAgo(20), settled, nowMs)
    expect(memory.isSettled(id, daysAgo(20))).toBe(true)
    expect(memory.isSettled(id, daysAgo(19))).toBe(false)
    expect(memory.isSettled(id, null)).toBe(false)
  })

  test.each([
    outcome('failed', 'server_error', 503),
    outcome('failed', 'rate_limited', 429),
    outcome('failed', 'network_error'),
    outcome('failed', 'rejected', 408),
    outcome('failed', 'rejected', 409),
    outcome('failed', 'rejected', 302),
    outcome('unknown', 'timeout'),
    outcome('filtered', 'on_hold'),
  ])('$status $reason $httpStatus: it has to come up again', (settled) => {
    memory.remember(id, daysAgo(20), settled, nowMs)
    expect(memory.isSettled(id, daysAgo(20))).toBe(false)
    memory.finished(span(364, 14), nowMs)
    expect(beginsDaysAgo()).toBe(20)
  })

  test.each([
    outcome('filtered', 'not_stale'),
    outcome('filtered', 'settled_before'),
    outcome('filtered', 'active_again', 200),
    outcome('invalid', 'bad_row'),
    outcome('duplicate', 'duplicate'),
  ])('$status $reason: nothing', (settled) => {
    memory.remember(id, daysAgo(20), settled, nowMs)
    memory.finished(span(364, 14), nowMs)
    expect(readFileSync(fileOf('settled.jsonl'), 'utf8')).toBe('')
    expect(beginsDaysAgo()).toBe(14)
  })

  test.each([ended, voice])('what is settled ($reason) stays so when it is put on hold', (settled) => {
    memory.remember(id, daysAgo(20), settled, nowMs)
    memory.remember(id, daysAgo(20), onHold, nowMs)
    expect(memory.isSettled(id, daysAgo(20))).toBe(true)
    memory.finished(span(364, 14), nowMs)
    expect(beginsDaysAgo()).toBe(14)
  })
})

test('the filter turns away what is settled, with a reason', () => {
  const filter = notSettledBefore(memory)
  const item = (updated: string | undefined) => ({
    ordinal: 0,
    id,
    source: 'export.jsonl.gz',
    line: 1,
    record: () => ({ date_updated: updated }),
  })
  const updated = '2026-10-12T02:00:00.000000'
  expect(filter.judge(item(updated))).toBeNull()
  memory.remember(id, daysAgo(20), voice, nowMs)
  expect(filter.judge(item(updated))).toMatchObject({ status: 'filtered', reason: 'settled_before' })
  expect(filter.judge(item('2026-10-12T02:00:00.001000'))).toBeNull()
  expect(filter.judge(item(undefined))).toBeNull()
})

describe('where the next run begins', () => {
  test('at first with all of the history', () => {
    expect(beginsDaysAgo()).toBeNull()
  })

  test('where the last one ended, also after a kill', () => {
    memory.finished(span(364, 14), nowMs)
    expect(beginsDaysAgo()).toBe(14)
    reopen()
    expect(beginsDaysAgo()).toBe(14)
  })

  test('not later when a run looked at less than is open, as that leaves a gap', () => {
    memory.finished(span(364, 40), nowMs)
    memory.finished(span(30, 14), nowMs)
    expect(beginsDaysAgo()).toBe(40)
    memory.finished(span(41, 14), nowMs)
    expect(beginsDaysAgo()).toBe(14)
  })

  test('with all of the history, when the first run looked at a part of it', () => {
    memory.finished(span(30, 14), nowMs)
    expect(beginsDaysAgo()).toBeNull()
  })

  test('not earlier when an older span is looked at again', () => {
    memory.finished(span(364, 14), nowMs)
    memory.finished(span(364, 100), nowMs)
    expect(beginsDaysAgo()).toBe(14)
  })

  test('as before when a run looked at creation dates, which say nothing about updates', () => {
    memory.finished(span(364, 0, 'created'), nowMs)
    expect(beginsDaysAgo()).toBeNull()
    memory.finished(span(364, 14), nowMs)
    memory.finished(span(7, 0, 'created'), nowMs)
    expect(beginsDaysAgo()).toBe(14)
  })

  test('with the earliest that failed, even if a run by creation dates met it', () => {
    memory.finished(span(364, 14), nowMs)
    memory.remember(id, daysAgo(50), failed, nowMs)
    memory.finished(span(7, 0, 'created'), nowMs)
    expect(beginsDaysAgo()).toBe(50)
  })

  test('where it should, after a pause that is longer than the history', () => {
    memory.finished(span(364, 14), nowMs)
    const later = nowMs + 500 * dayMs
    memory.finished({ by: 'updated', fromMs: later - 364 * dayMs, toMs: later - 14 * dayMs }, later)
    expect(memory.highWaterMarkMs).toBe(later - 14 * dayMs)
  })
})

describe('what has to come up again', () => {
  const nextNight = (nth: number) => {
    const startedMs = nowMs + nth * dayMs
    return {
      startedMs,
      span: { by: 'updated', fromMs: memory.highWaterMarkMs! - dayMs, toMs: startedMs - 14 * dayMs } as const,
    }
  }

  test('is waited for as long as it fails, and then no longer', () => {
    memory.remember(id, daysAgo(20), failed, nowMs)
    memory.finished(span(364, 14), nowMs)
    for (let nth = 1; nth <= 3; nth += 1) {
      const night = nextNight(nth)
      expect(night.span.fromMs).toBe(daysAgo(21))
      memory.remember(id, daysAgo(20), nth === 3 ? ended : failed, night.startedMs)
      memory.finished(night.span, night.startedMs)
    }
    expect(beginsDaysAgo()).toBe(11)
  })

  test('is let go when it was touched, as it comes up later then', () => {
    memory.remember(id, daysAgo(20), failed, nowMs)
    memory.finished(span(364, 14), nowMs)
    const night = nextNight(1)
    memory.finished(night.span, night.startedMs)
    expect(beginsDaysAgo()).toBe(13)
  })

  test('stays when the run did not look where it is', () => {
    memory.remember(id, daysAgo(20), failed, nowMs)
    memory.finished(span(364, 14), nowMs)
    memory.finished(span(10, 5), nowMs + dayMs)
    memory.finished(span(364, 5, 'created'), nowMs + dayMs)
    expect(beginsDaysAgo()).toBe(20)
  })

  test('is let go when it is older than the history', () => {
    memory.remember(id, daysAgo(20), failed, nowMs)
    memory.finished(span(364, 14), nowMs)
    const startedMs = nowMs + 400 * dayMs
    memory.finished(
      { by: 'updated', fromMs: startedMs - 364 * dayMs, toMs: startedMs - 14 * dayMs },
      startedMs,
    )
    expect(memory.highWaterMarkMs).toBe(startedMs - 14 * dayMs)
    expect(readFileSync(fileOf('settled.jsonl'), 'utf8')).toBe('')
  })
})

describe('forgetting', () => {
  const night = (days: number, fromMs = nowMs - 400 * dayMs) => {
    const startedMs = nowMs + days * dayMs
    memory.finished({ by: 'updated', fromMs, toMs: startedMs - 14 * dayMs }, startedMs)
  }

  test('what was ended long ago does not take room for ever', () => {
    for (const [index, settled] of [ended, voice].entries())
      memory.remember(`${id}${index}`, daysAgo(20), settled, nowMs)
    night(100)
    expect(memory.isSettled(`${id}0`, daysAgo(20))).toBe(true)
    night(140)
    expect(memory.isSettled(`${id}0`, daysAgo(20))).toBe(false)
    expect(readFileSync(fileOf('settled.jsonl'), 'utf8')).toBe('')
  })

  test('not what comes up every night, as something older is still open', () => {
    memory.remember('held', daysAgo(20), onHold, nowMs)
    memory.remember(id, daysAgo(15), ended, nowMs)
    for (const days of [0, 50, 100, 150, 200]) {
      memory.remember('held', daysAgo(20), onHold, nowMs + days * dayMs)
      night(days)
      expect(beginsDaysAgo()).toBe(20)
      expect(memory.isSettled(id, daysAgo(15)), `after ${days} days`).toBe(true)
    }
  })
})
