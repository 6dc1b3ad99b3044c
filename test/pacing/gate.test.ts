import { beforeEach, describe, expect, it } from 'vitest'
import { ApiDownError, type CallResult, type Gate, openGate, type Permit } from '../../src/pacing/gate.js'
import { noQuota, type Quota } from '../../src/settings/limits.js'
import { FakeClock } from '../fake-clock.js'

let clock: FakeClock
let gate: Gate
const never = new AbortController().signal
beforeEach(() => {
  clock = new FakeClock()
  // A random number of 1 shows the longest backoff.
  gate = openGate({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 60_000 })
})

const report = (permit: Permit, kind: CallResult['kind'], quota: Partial<Quota> = {}, itemKey = 1) =>
  gate.report(permit, { kind, quota: { ...noQuota, ...quota }, itemKey, message: 'HTTP 503' })

/** For how long the gate lets nobody pass. */
async function closedMs(): Promise<number> {
  const startMs = clock.monotonicMs()
  let isOpen = false
  void gate.wait(never).then(() => {
    isOpen = true
  })
  await clock.settle()
  for (let turns = 0; !isOpen && turns < 1000; turns++) await clock.advance(clock.nextMs ?? 0)
  return clock.monotonicMs() - startMs
}

function failEverybody(): void {
  const permits = Array.from({ length: 20 }, () => gate.pass()!)
  permits.forEach((permit, item) => {
    report(permit, 'failure', {}, item)
  })
}

describe('the gate', () => {
  it('lets everybody pass as long as nothing is wrong', () => {
    for (let call = 0; call < 100; call++) report(gate.pass()!, 'ok')
    expect(gate.state()).toEqual({ waitingFor: 'nothing', untilMs: null })
  })

  it.each([
    ['the time that a 429 asks for', { retryAfterMs: 7000 }, 7000],
    ['no time, if that is what a 429 asks for', { retryAfterMs: 0 }, 0],
    ['a day at most', { retryAfterMs: 1e12 }, 86_400_000],
    ['no time when the time has passed', { retryAfterMs: -5 }, 0],
    ['a second, when a 429 says nothing', {}, 1000],
  ])('stays closed for %s', async (_name, quota, ms) => {
    report(gate.pass()!, 'rate_limited', quota)
    expect(await closedMs()).toBe(ms)
  })

  it('says why it is closed and until when', () => {
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 7000 })
    expect(gate.state()).toEqual({ waitingFor: 'rate_limited', untilMs: clock.monotonicMs() + 7000 })
    expect(gate.pass()).toBeNull()
  })

  it('backs off for longer with every 429 in a row that says nothing, up to a minute', async () => {
    const waits: number[] = []
    for (let call = 0; call < 8; call++) {
      report(gate.pass()!, 'rate_limited')
      waits.push(await closedMs())
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000])
    report(gate.pass()!, 'ok')
    report(gate.pass()!, 'rate_limited')
    expect(await closedMs()).toBe(1000)
  })

  it('counts a burst of 429 once', async () => {
    const burst = Array.from({ length: 10 }, () => gate.pass()!)
    for (const permit of burst) report(permit, 'rate_limited')
    expect(await closedMs()).toBe(1000)
  })

  it('listens to the longest time that a burst of 429 asks for', async () => {
    const burst = Array.from({ length: 3 }, () => gate.pass()!)
    for (const [index, permit] of burst.entries()) {
      report(permit, 'rate_limited', { retryAfterMs: [2000, 9000, 4000][index]! })
    }
    expect(await closedMs()).toBe(9000)
  })

  it('lets one call go ahead after a 429, and the others only after its success', async () => {
    const slow = gate.pass()!
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 1000 })
    await clock.advance(1000)
    const ahead = gate.pass()!
    expect(gate.pass()).toBeNull()
    // What left before the gate closed says nothing about now.
    report(slow, 'ok')
    expect(gate.pass()).toBeNull()
    let passed = 0
    for (let call = 0; call < 3; call++) void gate.wait(never).then(() => passed++)
    await clock.advance(60_000)
    expect(passed).toBe(0)
    report(ahead, 'ok')
    await clock.settle()
    expect(passed).toBe(3)
    expect(gate.pass()).not.toBeNull()
    expect(gate.pass()).not.toBeNull()
  })

  it('sends another ahead when the first came to nothing', async () => {
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 0 })
    const ahead = gate.pass()!
    expect(gate.pass()).toBeNull()
    gate.forget(ahead)
    expect(gate.pass()).not.toBeNull()
  })

  it.each([
    ['until the reset', 20_000, 20_000],
    ['for the longest window at most', 3_600_000, 60_000],
    ['not at all when the reset has passed', -10, 0],
    ['not at all when nothing says how long', null, 0],
  ])('closes when no calls remain: %s', async (_name, resetInMs, ms) => {
    report(gate.pass()!, 'ok', { remaining: 0, resetInMs })
    expect(await closedMs()).toBe(ms)
    // Everybody may go then: nothing was refused.
    expect(gate.pass()).not.toBeNull()
    expect(gate.pass()).not.toBeNull()
  })

  it('keeps the reason of a 429 when no calls remain as well, and the longer time', async () => {
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 1000, remaining: 0, resetInMs: 5000 })
    expect(gate.state()).toMatchObject({ waitingFor: 'rate_limited' })
    expect(await closedMs()).toBe(5000)
    gate.pass()
    expect(gate.pass()).toBeNull()
  })

  it('stays open when a few items fail again and again', () => {
    for (let call = 0; call < 500; call++) report(gate.pass()!, 'failure', {}, call % 19)
    expect(gate.pass()).not.toBeNull()
  })

  it('stays open when many items fail, but not in a row', () => {
    for (let call = 0; call < 500; call++) report(gate.pass()!, call % 20 === 19 ? 'ok' : 'failure', {}, call)
    expect(gate.pass()).not.toBeNull()
  })

  it('probes after 1 s, then doubles the pause up to 30 s', async () => {
    gate = openGate({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 600_000 })
    failEverybody()
    const waits: number[] = []
    for (let probe = 0; probe < 7; probe++) {
      expect(gate.state()).toMatchObject({ waitingFor: 'outage' })
      waits.push(await closedMs())
      const permit = gate.pass()!
      expect(permit.isProbe).toBe(true)
      report(permit, 'failure', {}, 100)
    }
    expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
  })

  it('opens when a probe succeeds, and begins anew', async () => {
    failEverybody()
    await clock.advance(1000)
    report(gate.pass()!, 'failure')
    await clock.advance(2000)
    report(gate.pass()!, 'ok')
    expect(gate.state().waitingFor).toBe('nothing')
    report(gate.pass()!, 'failure')
    expect(gate.pass()).toMatchObject({ isProbe: false })
    failEverybody()
    expect(await closedMs()).toBe(1000)
  })

  it('is not closed by failures of calls that left before it closed the last time', async () => {
    const slow = Array.from({ length: 30 }, () => gate.pass()!)
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 0 })
    report(gate.pass()!, 'ok')
    slow.forEach((permit, item) => {
      report(permit, 'failure', {}, item)
    })
    expect(gate.pass()).toMatchObject({ isProbe: false })
  })

  it('counts the failure of a call sent ahead after a 429 against its item, until it is all items', async () => {
    gate = openGate({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 3_600_000 })
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 0 })
    const probes: boolean[] = []
    for (let item = 0; item < 22; item++) {
      const ahead = gate.pass()!
      probes.push(ahead.isProbe)
      report(ahead, 'failure', {}, item)
      expect(gate.pass()).toBeNull()
      await clock.advance(30_000)
    }
    expect(probes).toEqual([...Array(20).fill(false), true, true])
  })

  it('gives up when nothing but failures came for too long, and tells everybody who waits', async () => {
    failEverybody()
    for (let probe = 0; probe < 6; probe++) {
      await closedMs()
      const permit = gate.pass()!
      const waiting = gate.wait(never)
      await clock.advance(100)
      report(permit, 'failure')
      if (probe < 5) continue
      await expect(waiting).rejects.toThrow(ApiDownError)
    }
    expect(gate.pass()).toBeNull()
    await expect(gate.wait(never)).rejects.toThrow('failed every call for 62 seconds. Last: HTTP 503')
  })

  it('does not count hours in which nothing was called as failing', async () => {
    gate = openGate({ clock, random: () => 1, longestWindowMs: 60_000, outageMaxMs: 300_000 })
    failEverybody()
    await clock.advance(36_000_000)
    report(gate.pass()!, 'failure')
    await clock.advance(30_000)
    expect(gate.pass()).toMatchObject({ isProbe: true })
  })

  it('rejects who waits when the signal is aborted', async () => {
    report(gate.pass()!, 'rate_limited', { retryAfterMs: 60_000 })
    const stop = new AbortController()
    const waiting = gate.wait(stop.signal)
    await clock.settle()
    stop.abort(new Error('stopped'))
    await expect(waiting).rejects.toThrow('stopped')
    expect(clock.sleepers).toBe(0)
  })
})
