import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import type { RunEvent } from '../../src/checkpoint/events.js'
import {
  changeControl,
  controlEvents,
  controlOnRecord,
  openLiveStatus,
  readControl,
  readLiveStatus,
} from '../../src/monitor/status.js'
import type { Limiter } from '../../src/pacing/limiter.js'
import { FakeClock } from '../fake-clock.js'
import { runFile } from '../reports/reported.js'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-control-'))
  path = join(directory, 'control.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('a change from outside', () => {
  test('holds until the same setting is changed again', () => {
    changeControl(path, { isPaused: true })
    changeControl(path, { share: 0.5 })
    expect(readControl(path)?.control).toMatchObject({ isPaused: true, share: 0.5, limits: null })
    changeControl(path, { isPaused: false })
    expect(readControl(path)?.control).toMatchObject({ isPaused: false, share: 0.5 })
  })

  test.each(['', '{', 'null', '{"isPaused":"yes"}', '{"isPaused":true,"share":-1}'])(
    'is none when the file holds %j',
    (text) => {
      writeFileSync(path, text)
      expect(readControl(path)).toBeNull()
    },
  )

  test('is recorded once, and is found on record again', () => {
    const asked = changeControl(path, { isPaused: true, limits: [{ max: 3, perMs: 1000 }] })
    const events = controlEvents(controlOnRecord([]), asked)
    expect(events).toMatchObject([
      { event: 'throttled', share: null, limits: [{ max: 3, perMs: 1000 }], at: asked.at, by: asked.by },
      { event: 'paused', at: asked.at },
    ])
    expect(controlEvents(controlOnRecord(events), asked)).toEqual([])
    const later = changeControl(path, { isPaused: false, limits: null })
    expect(controlEvents(controlOnRecord(events), later).map(({ event }) => event)).toEqual([
      'throttled',
      'continued',
    ])
  })
})

test('a live.json that can be neither written nor removed does not stop a run', () => {
  const live = join(directory, 'live.json')
  // Something else lies there, which no process may remove.
  mkdirSync(live)
  writeFileSync(join(live, 'other'), '')
  const status = openLiveStatus(
    { control: path, live },
    { caps: [], share: 1 },
    [],
    { takeTimeSpent: () => ({}) } as unknown as Limiter,
    {} as Checkpoint,
    () => {
      throw new Error('no view')
    },
    new FakeClock(),
  )
  const at = '2026-11-22T01:00:00.000Z'
  const started: RunEvent = {
    ...{ event: 'started', at, by: 'kim', host: 'ops', pid: 1, version: '0.1.0' },
    ...{ confirmed: 1, settings: runFile.settings },
  }
  status.on(started)
  expect(() => status[Symbol.dispose]()).not.toThrow()
  expect(readLiveStatus(live)).toBeNull()
})
