import { PassThrough } from 'node:stream'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { barProgress } from '../../src/progress/bar.js'
import { plainProgress } from '../../src/progress/plain.js'
import type { RunView } from '../../src/progress/progress.js'
import { Tally } from '../../src/tally.js'

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

test('plain progress is a line every ten seconds and one at the end, and is then still', () => {
  const lines: string[] = []
  const tally = new Tally()
  const progress = plainProgress(
    () => ({ ...run, tally }),
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

describe('a bar', () => {
  function terminal(): { stream: NodeJS.WriteStream; shown: () => string } {
    let shown = ''
    const stream = Object.assign(new PassThrough(), { isTTY: true, columns: 120, rows: 30 })
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
