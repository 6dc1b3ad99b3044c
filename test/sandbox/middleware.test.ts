import { describe, expect, test } from 'vitest'
import { call, conversationIds, end, type Received, StillClock, sandboxWith, until } from './client.js'

const id = '66f0b7d24c19a3e85d7b9a14'

async function endAll(sandbox: Parameters<typeof end>[0], ids: string[]): Promise<Received[]> {
  const received: Received[] = []
  for (const each of ids) received.push(await end(sandbox, each))
  return received
}

describe('the key', () => {
  const wrong: [string, Record<string, string>][] = [
    ['missing', {}],
    ['another', { authorization: 'Bearer sandbox-key2' }],
    ['not a bearer', { authorization: 'Basic sandbox-key' }],
  ]
  test.each(wrong)('%s: 401, nothing is ended and no place in a window is taken', async (_, headers) => {
    const sandbox = await sandboxWith({ limits: [{ max: 1, perMs: 60_000 }], clock: new StillClock() })
    const refused = await end(sandbox, id, { headers })
    expect([refused.status, refused.text]).toEqual([401, '{"message":"Unauthorized"}'])
    expect(refused.headers.has('x-ratelimit-limit')).toBe(false)
    expect(sandbox.state.isEnded(id)).toBe(false)
    expect((await end(sandbox, id)).status).toBe(200)
  })

  test('can be chosen', async () => {
    const sandbox = await sandboxWith({ key: 'practice' })
    expect((await end(sandbox, id, { headers: { authorization: 'Bearer practice' } })).status).toBe(200)
  })
})

describe('the rate windows', () => {
  test('let 30 a second in unless told otherwise, and 300 a minute', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock })
    const ids = conversationIds(340)
    const statuses: number[] = []
    for (let second = 0; second < 10; second += 1) {
      statuses.push(...(await endAll(sandbox, ids.splice(0, 31))).map(({ status }) => status))
      clock.pass(1_000)
    }
    expect(statuses).toEqual(
      Array(10)
        .fill([...Array(30).fill(200), 429])
        .flat(),
    )
    expect((await end(sandbox, ids[0]!)).status).toBe(429)
    expect([sandbox.state.arrived, sandbox.state.acted, sandbox.state.rateLimited]).toEqual([311, 300, 11])
  })

  test('are kept as asked: fixed ones start anew with the clock', async () => {
    const clock = new StillClock()
    const limits = [{ max: 1, perMs: 1_000 }]
    const [fixed, sliding] = [
      await sandboxWith({ limits, clock, windowKind: 'fixed' }),
      await sandboxWith({ limits, clock }),
    ]
    clock.pass(900)
    for (const sandbox of [fixed, sliding]) await end(sandbox, id)
    clock.pass(100)
    expect((await end(fixed, id)).status).toBe(400)
    expect((await end(sliding, id)).status).toBe(429)
  })

  test('can be left out', async () => {
    const sandbox = await sandboxWith({ limits: 'none', clock: new StillClock() })
    const received = await endAll(sandbox, conversationIds(50))
    expect(received.every(({ status, headers }) => status === 200 && !headers.has('x-ratelimit-limit'))).toBe(
      true,
    )
  })

  test('say in whole seconds when to come back, rounded up', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ limits: [{ max: 1, perMs: 60_000 }], clock })
    await end(sandbox, id)
    clock.pass(58_500)
    expect((await end(sandbox, id)).headers.get('retry-after')).toBe('2')
    clock.pass(1_400)
    const last = await end(sandbox, id)
    expect(last.headers.get('retry-after')).toBe('1')
    expect(JSON.parse(last.text!).errors[0].type).toBe('rate_limit_exceeded')
  })

  test('can be silent about it', async () => {
    const sandbox = await sandboxWith({ limits: [{ max: 1, perMs: 60_000 }], retryAfter: false })
    const [, second] = await endAll(sandbox, [id, id])
    expect([second!.status, second!.headers.has('retry-after')]).toEqual([429, false])
  })
})

describe('the rate-limit headers', () => {
  const quotaOf = ({ headers }: Received) =>
    ['limit', 'remaining', 'reset'].map((name) => headers.get(`x-ratelimit-${name}`))

  test('count down on successful answers, with the reset in Unix seconds', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ limits: [{ max: 3, perMs: 10_000 }], clock })
    const reset = String(clock.wallMs() / 1_000 + 10)
    const [first, second, again] = await endAll(sandbox, [id, '66f0b7d24c19a3e85d7b9a15', id])
    expect(quotaOf(first!)).toEqual(['3', '2', reset])
    expect(quotaOf(second!)).toEqual(['3', '1', reset])
    expect(quotaOf(again!)).toEqual([null, null, null])
  })
})

describe('latency', () => {
  test('comes partly before the call has its effect and partly after', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock, latencyMs: { min: 100, max: 100 }, keepCalls: true })
    const answer = end(sandbox, id)
    await until(() => clock.asleep === 1)
    expect(sandbox.state.isEnded(id)).toBe(false)
    let passedMs = 0
    while (!sandbox.state.isEnded(id)) {
      clock.pass(1)
      passedMs += 1
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(passedMs).toBeGreaterThan(0)
    expect(passedMs).toBeLessThanOrEqual(100)
    expect(sandbox.state.calls[0]!.atMs).toBe(passedMs)
    expect(clock.asleep).toBe(1)
    clock.pass(101 - passedMs)
    expect((await answer).status).toBe(200)
  })

  test('lets us see whether two calls for one ID are in flight at once', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock, latencyMs: { min: 50, max: 60 }, limits: 'none' })
    const inFlight = [end(sandbox, id), end(sandbox, '66f0b7d24c19a3e85d7b9a15')]
    await until(() => clock.asleep === 2)
    expect(sandbox.state.mostInFlightForOneId).toBe(1)
    inFlight.push(end(sandbox, id))
    await until(() => clock.asleep === 3)
    expect(sandbox.state.mostInFlightForOneId).toBe(2)
    await clock.passUntilSettled(Promise.all(inFlight))
    await clock.passUntilSettled(end(sandbox, id))
    expect(sandbox.state.mostInFlightForOneId).toBe(2)
  })

  test('does not keep a call in flight that the client has given up, but the call has its effect', async () => {
    const clock = new StillClock()
    const sandbox = await sandboxWith({ clock, latencyMs: { min: 50, max: 50 }, keepCalls: true })
    const patience = new AbortController()
    const givenUp = end(sandbox, id, { signal: patience.signal })
    await until(() => clock.asleep === 1)
    patience.abort()
    expect((await givenUp).status).toBe(0)
    const again = end(sandbox, id)
    await until(() => clock.asleep === 2)
    await clock.passUntilSettled(again)
    await until(() => sandbox.state.calls.length === 2)
    expect(sandbox.state.calls.map(({ status }) => status)).toEqual([200, 400])
    await clock.passUntilSettled(end(sandbox, id))
    expect(sandbox.state.mostInFlightForOneId).toBe(1)
  })
})

describe('faults', () => {
  const ids = conversationIds(400)

  test('errors come at the rate asked for, of all kinds, and some of those calls have had their effect', async () => {
    const sandbox = await sandboxWith({ limits: 'none', errorRate: 0.25 })
    const received = await endAll(sandbox, ids)
    const failed = received.flatMap(({ status, text }, index) =>
      status === 200
        ? []
        : [{ status, isHtml: text!.startsWith('<html>'), isEnded: sandbox.state.isEnded(ids[index]!) }],
    )
    expect(failed.length).toBeGreaterThan(70)
    expect(failed.length).toBeLessThan(130)
    expect(new Set(failed.map(({ status }) => status))).toEqual(new Set([500, 502, 503]))
    for (const kind of ['isHtml', 'isEnded'] as const) {
      expect(new Set(failed.map((failure) => failure[kind]))).toEqual(new Set([true, false]))
    }
    expect(failed.filter(({ isEnded }) => isEnded).length).toBeLessThan(failed.length / 2)
    expect(sandbox.state.acted).toBe(400 - failed.filter(({ isEnded }) => !isEnded).length)
  })

  test('connections drop at the rate asked for, before and after the effect', async () => {
    const sandbox = await sandboxWith({ limits: 'none', dropRate: 0.25, keepCalls: true })
    const received = await endAll(sandbox, ids)
    const dropped = ids.filter((_, index) => received[index]!.text === null)
    expect(new Set(received.map(({ status }) => status))).toEqual(new Set([0, 200]))
    expect(dropped.length).toBeGreaterThan(70)
    expect(dropped.length).toBeLessThan(130)
    const ended = dropped.filter((each) => sandbox.state.isEnded(each))
    expect(ended.length).toBeGreaterThan(dropped.length / 4)
    expect(ended.length).toBeLessThan((dropped.length * 3) / 4)
    const cutOff = ids.filter((_, index) => received[index]!.status === 200 && received[index]!.text === null)
    expect(cutOff.length).toBeGreaterThan(0)
    expect(cutOff.every((each) => sandbox.state.isEnded(each))).toBe(true)
    expect(sandbox.state.answersHalved).toBe(cutOff.length)
    expect(sandbox.state.answersLost).toBe(ended.length - cutOff.length)
    const lost = sandbox.state.calls.filter(({ status }) => status === 0).map((kept) => kept.id)
    expect(lost).toEqual(dropped.filter((each) => !cutOff.includes(each)))
  })

  test('are the same again with the same seed, in whatever order the calls come', async () => {
    const statuses = async (seed: number, order: string[]) => {
      const sandbox = await sandboxWith({ limits: 'none', errorRate: 0.2, dropRate: 0.2, seed })
      const received = await endAll(sandbox, order)
      return new Map(order.map((each, index) => [each, received[index]!.status]))
    }
    const few = ids.slice(0, 60)
    const [first, backwards, another] = [
      await statuses(1, few),
      await statuses(1, few.toReversed()),
      await statuses(2, few),
    ]
    expect(backwards).toEqual(new Map([...first].toReversed()))
    expect(another).not.toEqual(first)
  })
})

test('an outage begins so long after the first call and then ends; nothing has an effect meanwhile', async () => {
  const clock = new StillClock()
  const sandbox = await sandboxWith({ clock, limits: 'none', outage: { afterMs: 5_000, forMs: 10_000 } })
  clock.pass(60_000)
  const ids = conversationIds(60)
  const statusesAfter = async (ms: number) => {
    clock.pass(ms)
    return new Set((await endAll(sandbox, ids.splice(0, 15))).map(({ status }) => status))
  }
  expect(await statusesAfter(0)).toEqual(new Set([200]))
  expect(await statusesAfter(4_999)).toEqual(new Set([200]))
  expect(await statusesAfter(1)).toEqual(new Set([503, 0]))
  expect(sandbox.state.acted).toBe(30)
  expect(await statusesAfter(10_000)).toEqual(new Set([200]))
})

test('calls are kept with what was asked and answered only when that was asked for', async () => {
  const clock = new StillClock()
  const [keeping, forgetting] = [await sandboxWith({ clock, keepCalls: true }), await sandboxWith()]
  clock.pass(250)
  await end(keeping, id)
  await call(keeping, 'GET', '/api/v2/export/conversations?page_size=100')
  await end(forgetting, id)
  expect(keeping.state.calls).toEqual([
    { atMs: 250, method: 'POST', path: `/api/v2/conversations/${id}/end/`, id, status: 200 },
    { atMs: 250, method: 'GET', path: '/api/v2/export/conversations?page_size=100', id: null, status: 400 },
  ])
  expect(forgetting.state.calls).toEqual([])
})
