import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Tally } from '../../src/checkpoint/summary.js'
import { barProgress } from '../../src/monitor/bar.js'
import type { RunView } from '../../src/monitor/view.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const run: RunView = {
  read: 40,
  tally: new Tally(),
  requests: { sent: 0, rateLimited: 0 },
  settledLastMinute: 0,
  endsAtMs: null,
  waitsUntilMs: null,
  waiting: { kind: 'nothing' },
  stoppingBecause: null,
}

describe('a bar', () => {
  function terminal(columns = 120): { stream: NodeJS.WriteStream; shown: () => string } {
    let shown = ''
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows: 30 })
    stream.on('data', (text) => {
      shown += text
    })
    return { stream: stream as unknown as NodeJS.WriteStream, shown: () => shown }
  }

  test('has the share that is done and the counts', () => {
    const { stream, shown } = terminal()
    const tally = new Tally()
    const progress = barProgress(() => ({ ...run, tally }), stream)
    tally.add('succeeded', 'ended', 10)
    vi.advanceTimersByTime(1000)
    expect(shown()).toContain('25% 10/40: 10 succeeded')
    progress.stop()
  })

  test.each([24, 40, 60, 100, 200])('fits into %i columns and says first what matters', (columns) => {
    const { stream, shown } = terminal(columns)
    const tally = new Tally()
    tally.add('succeeded', 'ended', 11_000)
    tally.add('failed', 'not_found', 12)
    const waiting = { kind: 'window', window: { max: 240, perMs: 60_000 } } as const
    const view = { ...run, read: 40_000, tally, settledLastMinute: 240, endsAtMs: 0, waiting }
    barProgress(() => view, stream).stop()
    const lines = shown().split(/[\r\n]|\u001b\[[\d?;]*[a-zA-Z]/)
    for (const line of lines) expect(line.length).toBeLessThan(columns)
    if (columns >= 40) expect(shown()).toContain('11,012/40,000')
    if (columns >= 60) expect(shown()).toContain('waiting for the window 240/m')
    if (columns >= 100) expect(shown()).toContain('240/min, until')
    if (columns >= 200) expect(shown()).toContain('11,000 succeeded, 12 failed')
  })

  test('gives way to a line of the log, and comes back', () => {
    const { stream, shown } = terminal()
    const progress = barProgress(() => run, stream)
    vi.advanceTimersByTime(1000)
    const before = shown().length
    progress.note('{"msg":"item failed"}')
    expect(shown().slice(before)).toMatch(/^\u001b\[1G\u001b\[2K\{"msg":"item failed"\}\n.*0\/40/s)
    progress.stop()
  })

  test('stops with how it ended, is then still, and may be stopped again', () => {
    const { stream, shown } = terminal()
    const tally = new Tally()
    const progress = barProgress(() => ({ ...run, tally }), stream)
    tally.add('succeeded', 'ended', 40)
    progress.stop()
    expect(shown()).toContain('100% 40/40: 40 succeeded')
    const text = shown()
    progress.stop()
    vi.advanceTimersByTime(10_000)
    expect(shown()).toBe(text)
  })
})
