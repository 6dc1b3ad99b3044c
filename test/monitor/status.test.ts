import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Checkpoint } from '../../src/checkpoint/checkpoint.js'
import { eventOf, fieldsOf } from '../../src/checkpoint/codec.js'
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
import { openLog } from '../../src/system/log.js'
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

  const at = '2026-11-28T09:00:00.000Z'
  const whole = { isPaused: false, share: 0.5, limits: null, at, by: 'ops', host: 'h' }
  const windows = (many: number) => Array.from({ length: many }, () => ({ max: 1, perMs: 1000 }))

  test.each([
    '',
    '{',
    'null',
    '{"isPaused":"yes"}',
    '{"isPaused":true,"share":-1}',
    JSON.stringify({ ...whole, share: 0.009 }),
    JSON.stringify({ ...whole, share: 1.01 }),
    JSON.stringify({ ...whole, limits: windows(17) }),
    JSON.stringify({ ...whole, limits: [{ max: 0, perMs: 1000 }] }),
    JSON.stringify({ ...whole, limits: [{ max: 1, perMs: 1e12 }] }),
    JSON.stringify({ ...whole, at: 'yesterday' }),
    JSON.stringify({ ...whole, at: '9999-12-31T23:59:59-10:00' }),
    JSON.stringify({ ...whole, by: 'x'.repeat(300) }),
  ])('is refused with a word when the file holds %j', (text) => {
    writeFileSync(path, text)
    expect(readControl(path)).toMatchObject({
      control: null,
      fault: expect.stringMatching(/^control.json is not obeyed: ./),
    })
  })

  test.each([
    '2026-11-28T09:00:00.000Z',
    '2026-11-28T09:00:00Z',
    '2026-11-28T10:00:00.000+01:00',
    '2026-11-28T04:00:00-05:00',
  ])('is taken at %s, and recorded in the form that the record has', (at) => {
    writeFileSync(path, JSON.stringify({ ...whole, at, limits: windows(16) }))
    const { control, fault } = readControl(path)!
    expect(fault).toBeNull()
    expect(control).toMatchObject({ at: whole.at, share: 0.5 })
    for (const event of controlEvents(controlOnRecord([]), control!))
      expect(eventOf(JSON.stringify(fieldsOf(event)))).not.toBeNull()
  })

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
    { clock: new FakeClock(), log: openLog({ path: join(directory, 'run.log'), level: 'silent' }) },
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
