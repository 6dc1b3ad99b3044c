import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import type { ExportSpan } from '../../src/data-export/span.js'
import { notSettledBefore } from '../../src/filters/remembered.js'
import { type Memory, openMemory, openMemoryOf } from '../../src/nights/memory.js'
import type { Outcome, SettledItem } from '../../src/outcome.js'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 10, 1, 2)
const instance = 'https://acme.ada.support'
const id = '66f2a91c4be07d3f5c1e0001'

let state = ''
let memory: Memory

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'ada-bulk-memory-'))
  memory = openMemory(state, 'cleanup', instance, '{}')
  onTestFinished(() => {
    memory.close()
    rmSync(state, { recursive: true, force: true })
  })
})

/** As after a kill: what was not closed is read again. */
function reopen(): Memory {
  memory.close()
  memory = openMemory(state, 'cleanup', instance, '{}')
  return memory
}

const fileOf = (name: string) => join(state, 'memory', readdirSync(join(state, 'memory'))[0]!, name)
const outcome = (status: Outcome['status'], reason: string, httpStatus: number | null = null): Outcome => ({
  status,
  reason,
  httpStatus,
  message: '',
})
const ended = outcome('succeeded', 'ended', 200)
const onHold = outcome('filtered', 'on_hold')
const voice = outcome('failed', 'rejected', 422)
const failed = outcome('failed', 'server_error', 503)

/** Updated from so many days before now on, up to so many. */
const span = (from: number, to: number, by: ExportSpan['by'] = 'updated'): ExportSpan => ({
  by,
  fromMs: nowMs - from * dayMs,
  toMs: nowMs - to * dayMs,
})
const daysAgo = (days: number) => nowMs - days * dayMs
/** Where the next run begins, in days before now; null: with all of the history. */
const beginsDaysAgo = () => (memory.settledToMs === null ? null : (nowMs - memory.settledToMs) / dayMs)

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
    expect(memory.settledToMs).toBe(later - 14 * dayMs)
  })
})

describe('what has to come up again', () => {
  const nextNight = (nth: number) => {
    const startedMs = nowMs + nth * dayMs
    return {
      startedMs,
      span: { by: 'updated', fromMs: memory.settledToMs! - dayMs, toMs: startedMs - 14 * dayMs } as const,
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
    expect(memory.settledToMs).toBe(startedMs - 14 * dayMs)
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

describe('what is on disk', () => {
  test('is there at once: a kill takes nothing away', () => {
    memory.remember(id, daysAgo(20), ended, nowMs)
    const other = openMemory(state, 'cleanup', instance, '{}')
    expect(other.isSettled(id, daysAgo(20))).toBe(true)
    other.close()
  })

  test.each([1, 5, 20, 40, 70])(
    'may end in the middle of a line (%i bytes less): only that one is lost',
    (less) => {
      memory.remember('first', daysAgo(20), ended, nowMs)
      memory.remember('torn', daysAgo(20), ended, nowMs)
      const path = fileOf('settled.jsonl')
      truncateSync(path, readFileSync(path).length - less)
      reopen().remember('next', daysAgo(20), ended, nowMs)
      reopen()
      expect(memory.isSettled('first', null)).toBe(true)
      expect(memory.isSettled('next', null)).toBe(true)
    },
  )

  test.each(['null', '5', '"text"', '[]', '{}', '{"id":7}', '\u0000\u0000\u0000'])(
    'may have the line %s in it',
    (line) => {
      appendFileSync(fileOf('settled.jsonl'), `\n${line}\n`)
      reopen().remember(id, daysAgo(20), failed, nowMs)
      memory.finished(span(364, 14), nowMs)
      expect(beginsDaysAgo()).toBe(20)
      expect(reopen().isSettled('undefined', null)).toBe(false)
    },
  )

  test('stays the same when a run is killed before its end', () => {
    memory.finished(span(364, 14), nowMs)
    memory.remember(id, daysAgo(20), ended, nowMs)
    expect(reopen().isSettled(id, daysAgo(20))).toBe(true)
    expect(beginsDaysAgo()).toBe(14)
  })

  test.each(['', '{"settledTo', '[]', '{"settledToMs":"yesterday"}'])(
    'is refused with a sentence when the night says %j',
    (text) => {
      memory.finished(span(364, 14), nowMs)
      writeFileSync(fileOf('night.json'), text)
      expect(() => openMemory(state, 'cleanup', instance, '{}')).toThrow(
        expect.objectContaining({
          name: 'UsageError',
          message: expect.stringMatching(/night\.json is damaged\. Remove it/),
        }),
      )
    },
  )

  test('a directory that cannot be used is named', () => {
    const file = join(state, 'file')
    writeFileSync(file, '')
    expect(() => openMemory(file, 'cleanup', instance, '{}')).toThrow(
      expect.objectContaining({ name: 'UsageError', message: expect.stringContaining('ADA_BULK_STATE') }),
    )
  })
})

describe('a resumed run catches up on what it finds settled', () => {
  const settled = (settledOutcome: Outcome): SettledItem => ({
    ...settledOutcome,
    ordinal: 0,
    id,
    attempts: 2,
    finishedAt: new Date(nowMs).toISOString(),
    durationMs: 1000,
    source: 'export.jsonl.gz',
    line: 1,
  })

  test('what failed comes up again, though the crash came before it was remembered', () => {
    memory.catchUp(settled(failed), daysAgo(90))
    memory.finished(span(90, 14), nowMs)
    expect(beginsDaysAgo()).toBeNull()
    memory.finished(span(364, 14), nowMs)
    expect(beginsDaysAgo()).toBe(90)
  })

  test('what was ended is not called again', () => {
    memory.catchUp(settled(ended), daysAgo(90))
    expect(memory.isSettled(id, daysAgo(15))).toBe(true)
  })

  test('what is remembered stays as it is', () => {
    memory.remember(id, daysAgo(20), failed, nowMs)
    memory.catchUp(settled(failed), daysAgo(90))
    memory.finished(span(364, 14), nowMs)
    expect(beginsDaysAgo()).toBe(20)
  })
})

describe('a memory of its own', () => {
  const of = (jobFlags: Record<string, string>, job = 'cleanup', on = instance) =>
    openMemoryOf(
      { stateDirectory: state, jobFlags, isSandbox: false, isParallel: false },
      { remembers: true },
      job,
      on,
    )!

  const remembers = (other: Memory) => {
    const known = other.isSettled(id, daysAgo(20))
    other.close()
    return known
  }

  test('has each instance, each job and each rule; another --idle is the same rule', () => {
    const first = of({ idle: '14d', language: 'fr' })
    first.remember(id, daysAgo(20), ended, nowMs)
    first.close()
    expect(remembers(of({ idle: '14d', language: 'fr' }))).toBe(true)
    expect(remembers(of({ idle: '30d', language: 'fr' }))).toBe(true)
    expect(remembers(of({ idle: '14d', language: 'de' }))).toBe(false)
    expect(remembers(of({ idle: '14d' }))).toBe(false)
    expect(remembers(of({ idle: '14d', language: 'fr' }, 'cleanup', 'https://acme.eu.ada.support'))).toBe(
      false,
    )
    expect(remembers(of({ idle: '14d', language: 'fr' }, '/home/ada/cleanup.ts'))).toBe(false)
  })

  test('none has a job that remembers nothing, nor a sandbox', () => {
    const run = { stateDirectory: state, jobFlags: {}, isSandbox: false, isParallel: false }
    expect(openMemoryOf(run, {}, 'close-stale', instance)).toBeNull()
    expect(openMemoryOf({ ...run, isSandbox: true }, { remembers: true }, 'cleanup', instance)).toBeNull()
  })

  test('is not for two runs at once: --parallel is refused', () => {
    const run = { stateDirectory: state, jobFlags: {}, isSandbox: false, isParallel: true }
    expect(() => openMemoryOf(run, { remembers: true }, 'cleanup', instance)).toThrow(/--parallel is not for/)
    expect(openMemoryOf(run, {}, 'close-stale', instance)).toBeNull()
  })
})
