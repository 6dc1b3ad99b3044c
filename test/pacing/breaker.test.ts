import { beforeEach, describe, expect, it } from 'vitest'
import { ApiDownError, type CallResult, CircuitBreaker, type Pass } from '../../src/pacing/breaker.js'
import { noQuota, type Quota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

let clock: FakeClock
let breaker: CircuitBreaker
beforeEach(() => {
  clock = new FakeClock()
  // A random number of 1 shows the longest backoff.
  breaker = new CircuitBreaker({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 60_000 })
})

const report = (pass: Pass, kind: CallResult['kind'], quota: Partial<Quota> = {}, itemKey = 1) =>
  breaker.report(pass, { kind, quota: { ...noQuota, ...quota }, message: 'HTTP 503' }, itemKey)

/** Waits until the breaker lets a call pass; gives how long that took. */
async function openMs(): Promise<number> {
  const ms = Math.max(0, (breaker.open?.untilMs ?? 0) - clock.monotonicMs())
  if (ms > 0) {
    await clock.advance(ms - 1)
    expect(breaker.pass()).toBeNull()
    await clock.advance(1)
  }
  return ms
}

function failEverything(): void {
  const passes = Array.from({ length: 20 }, () => breaker.pass()!)
  passes.forEach((pass, item) => {
    report(pass, 'failure', {}, item)
  })
}

describe('the breaker', () => {
  it('lets every call pass as long as nothing is wrong', () => {
    for (let call = 0; call < 100; call++) report(breaker.pass()!, 'ok')
    expect(breaker.open).toBeNull()
  })

  it.each([
    ['the time that a 429 asks for', { retryAfterMs: 7000 }, 7000],
    ['no time, if that is what a 429 asks for', { retryAfterMs: 0 }, 0],
    ['a day at most', { retryAfterMs: 1e12 }, 86_400_000],
    ['no time when the time has passed', { retryAfterMs: -5 }, 0],
    ['a second, when a 429 says nothing', {}, 1000],
  ])('stays open for %s', async (_name, quota, ms) => {
    report(breaker.pass()!, 'rate_limited', quota)
    expect(await openMs()).toBe(ms)
  })

  it('opens at the first failure that says how long to wait, for as long', async () => {
    report(breaker.pass()!, 'failure', { retryAfterMs: 20_000 })
    expect(await openMs()).toBe(20_000)
    expect(breaker.pass()).toMatchObject({ isProbe: true })
  })

  it('opens at the first failure of a harmless call', async () => {
    const result = { kind: 'failure', quota: noQuota, message: 'HTTP 503', isHarmless: true } as const
    breaker.report(breaker.pass()!, result, 'probe')
    expect(breaker.open?.kind).toBe('outage')
    expect(await openMs()).toBe(1000)
  })

  it('says why it is open and until when', () => {
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 7000 })
    expect(breaker.open).toEqual({ kind: 'rate_limited', untilMs: clock.monotonicMs() + 7000 })
    expect(breaker.pass()).toBeNull()
  })

  it('backs off for longer with every 429 in a row that says nothing, up to a minute', async () => {
    const waits: number[] = []
    for (let call = 0; call < 8; call++) {
      report(breaker.pass()!, 'rate_limited')
      waits.push(await openMs())
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    report(breaker.pass()!, 'ok')
    report(breaker.pass()!, 'rate_limited')
    expect(await openMs()).toBe(1000)
  })

  it('counts a burst of 429 once', async () => {
    const burst = Array.from({ length: 10 }, () => breaker.pass()!)
    for (const pass of burst) report(pass, 'rate_limited')
    expect(await openMs()).toBe(1000)
  })

  it('stays open for the longest time that a burst of 429 asks for', async () => {
    const burst = Array.from({ length: 3 }, () => breaker.pass()!)
    for (const [index, pass] of burst.entries()) {
      report(pass, 'rate_limited', { retryAfterMs: [2000, 9000, 4000][index]! })
    }
    expect(await openMs()).toBe(9000)
  })

  it('lets one call go ahead after a 429, and the others only after its success', async () => {
    const slow = breaker.pass()!
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 1000 })
    await clock.advance(1000)
    const ahead = breaker.pass()!
    expect(breaker.pass()).toBeNull()
    // A call that left before the breaker opened says nothing about now.
    report(slow, 'ok')
    expect(breaker.pass()).toBeNull()
    await clock.advance(60_000)
    expect(breaker.pass()).toBeNull()
    expect(breaker.open?.kind).toBe('rate_limited')
    report(ahead, 'ok')
    expect(breaker.pass()).not.toBeNull()
    expect(breaker.pass()).not.toBeNull()
  })

  it('sends another call ahead when the first ended without a result', async () => {
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 0 })
    const ahead = breaker.pass()!
    expect(breaker.pass()).toBeNull()
    breaker.forget(ahead)
    expect(breaker.pass()).not.toBeNull()
  })

  it.each([
    ['until the reset', 20_000, 20_000],
    ['for the longest window at most', 3_600_000, 60_000],
    ['not at all when the reset has passed', -10, 0],
    ['not at all when nothing says how long', null, 0],
  ])('opens when no calls remain: %s', async (_name, resetInMs, ms) => {
    report(breaker.pass()!, 'ok', { remaining: 0, resetInMs })
    expect(await openMs()).toBe(ms)
    // All calls may pass then: nothing was refused.
    expect(breaker.pass()).not.toBeNull()
    expect(breaker.pass()).not.toBeNull()
  })

  it('keeps the reason of a 429 when no calls remain as well, and the longer time', async () => {
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 1000, remaining: 0, resetInMs: 5000 })
    expect(breaker.open).toMatchObject({ kind: 'rate_limited' })
    expect(await openMs()).toBe(5000)
    breaker.pass()
    expect(breaker.pass()).toBeNull()
  })

  it('stays closed when a few items fail again and again', () => {
    for (let call = 0; call < 500; call++) report(breaker.pass()!, 'failure', {}, call % 19)
    expect(breaker.pass()).not.toBeNull()
  })

  it('stays closed when many items fail, but not in a row', () => {
    for (let call = 0; call < 500; call++)
      report(breaker.pass()!, call % 20 === 19 ? 'ok' : 'failure', {}, call)
    expect(breaker.pass()).not.toBeNull()
  })

  it('probes after 1 s, then doubles the pause up to 30 s', async () => {
    breaker = new CircuitBreaker({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 600_000 })
    failEverything()
    const waits: number[] = []
    for (let probe = 0; probe < 7; probe++) {
      expect(breaker.open).toMatchObject({ kind: 'outage' })
      waits.push(await openMs())
      const pass = breaker.pass()!
      expect(pass.isProbe).toBe(true)
      report(pass, 'failure', {}, 100)
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  })

  it('closes when a probe succeeds, and starts from the beginning', async () => {
    failEverything()
    await clock.advance(1000)
    report(breaker.pass()!, 'failure')
    await clock.advance(2000)
    report(breaker.pass()!, 'ok')
    expect(breaker.open).toBeNull()
    report(breaker.pass()!, 'failure')
    expect(breaker.pass()).toMatchObject({ isProbe: false })
    failEverything()
    expect(await openMs()).toBe(1000)
  })

  it('does not open for failures of calls that left before it opened the last time', async () => {
    const slow = Array.from({ length: 30 }, () => breaker.pass()!)
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 0 })
    report(breaker.pass()!, 'ok')
    slow.forEach((pass, item) => {
      report(pass, 'failure', {}, item)
    })
    expect(breaker.pass()).toMatchObject({ isProbe: false })
  })

  it('counts the failure of a call sent ahead after a 429 against its item, until all items fail', async () => {
    breaker = new CircuitBreaker({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 3_600_000 })
    report(breaker.pass()!, 'rate_limited', { retryAfterMs: 0 })
    const probes: boolean[] = []
    for (let item = 0; item < 22; item++) {
      const ahead = breaker.pass()!
      probes.push(ahead.isProbe)
      report(ahead, 'failure', {}, item)
      expect(breaker.pass()).toBeNull()
      await clock.advance(30_000)
    }
    expect(probes).toEqual([...Array(20).fill(false), true, true])
  })

  it('gives up when nothing but failures came for too long', async () => {
    failEverything()
    for (let probe = 0; probe < 6; probe++) {
      expect(() => breaker.throwIfGivenUp()).not.toThrow()
      await openMs()
      const pass = breaker.pass()!
      await clock.advance(100)
      report(pass, 'failure')
    }
    expect(breaker.pass()).toBeNull()
    expect(() => breaker.throwIfGivenUp()).toThrow(ApiDownError)
    expect(() => breaker.throwIfGivenUp()).toThrow('failed every call for 1 min 2 s. Last: HTTP 503')
  })

  it('does not count hours in which nothing was called as failing', async () => {
    breaker = new CircuitBreaker({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 300_000 })
    failEverything()
    await clock.advance(36_000_000)
    report(breaker.pass()!, 'failure')
    await clock.advance(30_000)
    expect(breaker.pass()).toMatchObject({ isProbe: true })
  })
})
