import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { changeControl, controlEvents, controlOnRecord, readControl } from '../../src/monitor/control.js'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-control-'))
  path = join(directory, 'control.json')
})
afterEach(() => rmSync(directory, { recursive: true }))

describe('what is asked of a run from outside', () => {
  test('holds until it is asked otherwise, each by itself', () => {
    changeControl(path, { isPaused: true })
    changeControl(path, { share: 0.5 })
    expect(readControl(path)?.control).toMatchObject({ isPaused: true, share: 0.5, limits: null })
    changeControl(path, { isPaused: false })
    expect(readControl(path)?.control).toMatchObject({ isPaused: false, share: 0.5 })
  })

  test.each(['', '{', 'null', '{"isPaused":"yes"}', '{"isPaused":true,"share":-1}'])(
    'counts as not asked when the file holds %j',
    (text) => {
      writeFileSync(path, text)
      expect(readControl(path)).toBeNull()
    },
  )

  test('goes on record once, and is found there again', () => {
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
