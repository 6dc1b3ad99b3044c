import { describe, expect, it } from 'vitest'
import { ApiDownError } from '../../src/pacing/gate.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { clock, failure, settled, setUp, tooMany } from './limiter-scene.js'

describe('the limiter, when calls fail, wait no more or are refused,', () => {
  it('drops a waiting call at once when its signal is aborted, and takes no place for it', async () => {
    const { send, results, sentMs, ledger } = setUp({ windows: [{ max: 1, perMs: 60_000 }], concurrency: 2 })
    const stop = new AbortController()
    send('sent')
    send('at the turnstile', { signal: stop.signal })
    send('next at the turnstile', { signal: stop.signal })
    send('in the queue', { signal: stop.signal })
    await clock.advance(5000)
    stop.abort(new Error('stopped'))
    await clock.settle()
    expect(results.slice(1)).toEqual(Array(3).fill(new Error('stopped')))
    expect(sentMs).toHaveLength(1)
    expect((await ledger.take([{ max: 2, perMs: 60_000 }], 1)).place).not.toBeNull()
  })

  it('drops what waits without windows too', async () => {
    const { send, results, sentMs, stop } = setUp({ windows: 'none', concurrency: 2 })
    for (let item = 0; item < 6; item++) send(item, { lastsMs: 100 })
    await clock.advance(50)
    stop.abort(new Error('stopped'))
    await clock.advance(1000)
    expect(sentMs).toHaveLength(2)
    expect(results.filter((result) => result instanceof Error)).toHaveLength(4)
  })

  it('lets a call in flight end when its signal is aborted', async () => {
    const { send, results, stop } = setUp()
    send('in flight', { lastsMs: 100 })
    await clock.advance(50)
    stop.abort(new Error('stopped'))
    await clock.advance(50)
    expect(results).toEqual([settled])
  })

  it('stops everybody on a 429 for as long as the API asks, and then sends one call ahead', async () => {
    const { send, sentMs, limiter, ledger } = setUp({ windows: [{ max: 10, perMs: 1000 }], concurrency: 1 })
    send('refused', { verdict: tooMany(5000) })
    for (let item = 0; item < 2; item++) send(item, { lastsMs: 300 })
    await clock.advance(1000)
    expect(limiter.waiting()).toMatchObject({ kind: 'rate_limited', untilMs: clock.monotonicMs() + 4000 })
    expect(await ledger.take([], 1000)).toEqual({ place: null, waitMs: 4000, fullWindow: null })
    await clock.advance(10_000)
    expect(sentMs).toEqual([['refused', 0], [0, 5000], [1, 5300]]) // biome-ignore format: a table
    expect(limiter.counts()).toEqual({ sent: 3, rateLimited: 1 })
  })

  it('sends one call ahead after a 429 while others wait for its answer', async () => {
    const { send, sentMs } = setUp({ windows: [{ max: 10, perMs: 100 }], concurrency: 4 })
    send('refused', { verdict: tooMany(5000) })
    await clock.advance(100)
    for (let item = 0; item < 3; item++) send(item, { lastsMs: 700 })
    await clock.advance(10_000)
    expect(sentMs).toEqual([['refused', 0], [0, 5000], [1, 5700], [2, 5700]]) // biome-ignore format: a table
  })

  it('gives the place back when the gate closed while it was taken', async () => {
    const inner = openMemoryLedger(clock)
    let released = 0
    const ledger = {
      ...inner,
      take: async (...args: Parameters<typeof inner.take>) => {
        const taken = await inner.take(...args)
        if (!taken.place) return taken
        const { place } = taken
        await clock.sleep(50)
        const release = () => {
          released++
          return place.release()
        }
        return { ...taken, place: { giveBack: () => place.giveBack(), release } }
      },
    }
    const { send, sentMs } = setUp({ ledger })
    send('refused', { verdict: tooMany(2000), lastsMs: 20 })
    send('late')
    await clock.advance(5000)
    expect(released).toBe(1)
    expect(sentMs).toEqual([['refused', 50], ['late', 2120]]) // biome-ignore format: a table
  })

  it('gives way after a 429', async () => {
    const { send, sentMs } = setUp({ windows: [{ max: 10, perMs: 1000 }], concurrency: 20 })
    send('refused', { verdict: tooMany(0) })
    await clock.advance(2000)
    for (let item = 0; item < 12; item++) send(item)
    await clock.advance(0)
    expect(sentMs).toHaveLength(1 + 7)
  })

  it('gives up when the API fails for too long, and says so to everybody', async () => {
    const { send, sentMs, results } = setUp({ windows: 'none', concurrency: 20, outageMaxMs: 10_000 })
    for (let item = 0; item < 60; item++) send(item, { verdict: failure, lastsMs: 10 })
    await clock.advance(60_000)
    // 20 at once, 19 in the places of the first that failed, then probes after 1, 2, 4 and 8 s.
    expect(sentMs.slice(39)).toEqual([
      ['probe 39', 1010],
      ['probe 40', 3020],
      ['probe 41', 7030],
      ['probe 42', 15_040],
    ])
    expect(results.filter((result) => result instanceof ApiDownError)).toHaveLength(17)
  })

  it('leaves the place taken when nobody knows whether the call arrived', async () => {
    const { limiter, ledger, stop } = setUp({ windows: [{ max: 1, perMs: 1000 }], holdMs: 30_000 })
    const call = limiter.schedule({ isRetry: false, itemKey: 1, signal: stop.signal }, async () => {
      throw new Error('cut off')
    })
    await Promise.all([expect(call).rejects.toThrow('cut off'), clock.advance(10)])
    await clock.advance(29_000)
    expect(await ledger.take([{ max: 1, perMs: 1000 }], 1)).toMatchObject({ place: null })
  })

  it('drops what waits when it is closed, and lets calls in flight end', async () => {
    const { send, limiter, results } = setUp({ concurrency: 4 })
    for (let item = 0; item < 8; item++) send(item, { lastsMs: 100 })
    await clock.advance(10)
    let isClosed = false
    const closing = limiter.close().then(() => {
      isClosed = true
    })
    await clock.advance(10)
    expect(results).toHaveLength(5)
    expect(isClosed).toBe(false)
    await clock.advance(80)
    await Promise.all([closing, clock.advance(0)])
    expect(results.filter((result) => result === settled)).toHaveLength(3)
  })
})
