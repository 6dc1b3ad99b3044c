import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LiveOptions, readLive, startLive } from '../../src/monitor/live.js'
import { FakeClock } from '../fake-clock.js'

test('a live.json that can be neither written nor removed is no reason for a run to break off', () => {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-live-'))
  const livePath = join(directory, 'live.json')
  // Something else lies there, which no process may put away.
  mkdirSync(livePath)
  writeFileSync(join(livePath, 'other'), '')
  const options = {
    controlPath: join(directory, 'control.json'),
    livePath,
    settings: { limits: 'none', share: 1 },
    limiter: { takeTimeSpent: () => ({}) },
    state: { events: [] },
    clock: new FakeClock(),
  } as unknown as LiveOptions
  const end = startLive(options)
  expect(end).not.toThrow()
  expect(readLive(livePath)).toBeNull()
  rmSync(directory, { recursive: true })
})
