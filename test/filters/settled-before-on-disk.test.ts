import { appendFileSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { openSyncState, openSyncStateOf, type SyncState } from '../../src/filters/settled-before.js'
import type { Outcome, SettledItem } from '../../src/item.js'
import {
  beginsDaysAgo,
  daysAgo,
  ended,
  failed,
  fileOf,
  id,
  instance,
  memory,
  nowMs,
  reopen,
  span,
  state,
} from './memory-scene.js'

describe('what is on disk', () => {
  test('is there at once: a kill takes nothing away', () => {
    memory.remember(id, daysAgo(20), ended, nowMs)
    const other = openSyncState(state, 'cleanup', instance, '{}')
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
      expect(() => openSyncState(state, 'cleanup', instance, '{}')).toThrow(
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
    expect(() => openSyncState(file, 'cleanup', instance, '{}')).toThrow(
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
    openSyncStateOf(
      { stateDirectory: state, jobFlags, isSandbox: false, isParallel: false },
      { remembers: true },
      job,
      on,
    )!

  const remembers = (other: SyncState) => {
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
    expect(openSyncStateOf(run, {}, 'close-stale', instance)).toBeNull()
    expect(openSyncStateOf({ ...run, isSandbox: true }, { remembers: true }, 'cleanup', instance)).toBeNull()
  })

  test('is not for two runs at once: --parallel is refused', () => {
    const run = { stateDirectory: state, jobFlags: {}, isSandbox: false, isParallel: true }
    expect(() => openSyncStateOf(run, { remembers: true }, 'cleanup', instance)).toThrow(
      /--parallel is not for/,
    )
    expect(openSyncStateOf(run, {}, 'close-stale', instance)).toBeNull()
  })
})
