import { describe, expect, it } from 'vitest'
import { clock, setUp } from './limiter-scene.js'

describe('the limiter', () => {
  it('lets a burst out at once and the rest one window after the answers, in order', async () => {
    const { send, sentMs, limiter } = setUp()
    for (let item = 0; item < 7; item++) send(item, { lastsMs: 100 })
    await clock.advance(500)
    expect(limiter.waiting()).toEqual({ kind: 'window', window: { max: 3, perMs: 1000 } })
    await clock.advance(5000)
    expect(sentMs).toEqual([[0, 0], [1, 0], [2, 0], [3, 1100], [4, 1100], [5, 1100], [6, 2200]]) // biome-ignore format: a table
    expect(limiter.counts()).toEqual({ sent: 7, rateLimited: 0 })
    expect(limiter.waiting()).toEqual({ kind: 'nothing' })
  })

  it('bounds the calls in flight', async () => {
    const { send, sentMs } = setUp({ concurrency: 2, windows: [{ max: 100, perMs: 1000 }] })
    for (let item = 0; item < 5; item++) send(item, { lastsMs: 100 })
    await clock.advance(1000)
    expect(sentMs.map(([, atMs]) => atMs)).toEqual([0, 0, 100, 100, 200])
  })

  it('bounds the calls in flight without windows too', async () => {
    const { send, sentMs } = setUp({ concurrency: 2, windows: 'none' })
    for (let item = 0; item < 5; item++) send(item, { lastsMs: 100 })
    await clock.advance(1000)
    expect(sentMs.map(([, atMs]) => atMs)).toEqual([0, 0, 100, 100, 200])
  })

  it('lets retries out before new items', async () => {
    const { send, sentMs } = setUp({ concurrency: 1 })
    send('first', { lastsMs: 100 })
    send('new')
    send('retry', { isRetry: true })
    await clock.advance(3000)
    expect(sentMs.map(([item]) => item)).toEqual(['first', 'retry', 'new'])
  })

  it('uses the share that it is given, live', async () => {
    const { send, sentMs, limiter } = setUp({ share: 0.34, windows: [{ max: 6, perMs: 1000 }] })
    for (let item = 0; item < 6; item++) send(item)
    await clock.advance(0)
    expect(sentMs).toHaveLength(2)
    limiter.setPace({ share: 1 })
    await clock.advance(1000)
    expect(sentMs).toHaveLength(6)
  })

  it('lets nothing leave while it is paused, says so, and goes on at once', async () => {
    const { send, sentMs, limiter } = setUp({ windows: [{ max: 100, perMs: 1000 }], isPaused: true })
    send('first')
    await clock.advance(500_000)
    expect(sentMs).toEqual([])
    expect(limiter.waiting()).toEqual({ kind: 'paused' })
    limiter.setPace({ isPaused: false })
    await clock.advance(1)
    expect(sentMs).toHaveLength(1)
    limiter.setPace({ isPaused: true })
    send('second')
    await clock.advance(60_000)
    expect(sentMs).toHaveLength(1)
    expect(limiter.takeTimeSpent()).toEqual({ calling: 1, paused: 560_000 })
  })

  it('is paused without windows too', async () => {
    const { send, sentMs, limiter } = setUp({ windows: 'none', isPaused: true })
    for (let item = 0; item < 3; item++) send(item)
    await clock.advance(60_000)
    expect(sentMs).toEqual([])
    limiter.setPace({ isPaused: false })
    await clock.advance(1)
    expect(sentMs).toHaveLength(3)
  })

  it('takes other windows from one call to the next', async () => {
    const { send, sentMs, limiter } = setUp({ windows: 'none' })
    send('first')
    await clock.advance(0)
    limiter.setPace({ windows: [{ max: 2, perMs: 1000 }] })
    for (let item = 0; item < 4; item++) send(item)
    await clock.advance(500)
    expect(sentMs).toHaveLength(1 + 2)
    limiter.setPace({ windows: 'none' })
    await clock.advance(1)
    expect(sentMs).toHaveLength(5)
  })

  it('keeps account of where the time goes, by the names of the windows that the API has', async () => {
    const { send, limiter } = setUp({ share: 0.5, windows: [{ max: 2, perMs: 1000 }] })
    for (let item = 0; item < 3; item++) send(item, { lastsMs: 100 })
    await clock.advance(2300)
    expect(limiter.takeTimeSpent()).toEqual({ calling: 100, 'window 2/1000': 2200 })
    expect(limiter.takeTimeSpent()).toEqual({})
  })

  it('waits for its hours', async () => {
    const minuteNow = new Date(clock.wallMs()).getHours() * 60 + new Date(clock.wallMs()).getMinutes()
    const { send, sentMs, limiter } = setUp({
      hours: { fromMinute: (minuteNow + 10) % 1440, toMinute: minuteNow },
    })
    send('early')
    await clock.advance(60_000)
    expect(limiter.waiting()).toEqual({ kind: 'hours', untilMs: clock.monotonicMs() + 540_000 })
    await clock.advance(540_000)
    expect(sentMs).toEqual([['early', 600_000]])
  })
})
