import { expect, test } from 'vitest'
import type { Evidence } from './evidence.js'
import { invariants, offencesIn, spansOverLimit } from './invariants.js'

const ids = Array.from({ length: 4 }, (_, number) => `66f2a91c4be07d3f5c1e111${number}`)

/** A run of four calls, a duplicate and one on hold, of which nothing can be said. */
function evidence(): Evidence {
  const rows = [...ids, ids[0]!]
  const called = ids.slice(0, 3)
  const report = [
    ...called.map((id) => row(id, 'succeeded')),
    row(ids[3]!, 'filtered'),
    row(ids[0]!, 'duplicate'),
  ]
  const totals = {
    read: 5,
    succeeded: 3,
    failed: 0,
    unknown: 0,
    invalid: 0,
    duplicate: 1,
    filtered: 1,
    left: 0,
  }
  return {
    world: {
      held: [ids[3]!],
      settings: {
        limits: [{ max: 2, perMs: 1000 }],
        share: 1,
        concurrency: 1,
        timeoutMs: 1000,
        attemptsMax: 1,
        maxOutageMs: 1000,
      },
      api: {
        latencyMs: { min: 0, max: 0 },
        errorRate: 0,
        dropRate: 0,
        outage: null,
        limits: 'none',
        retryAfter: true,
        windowKind: 'sliding',
      },
      othersEveryMs: 0,
    },
    rows,
    everListed: new Set(rows),
    executions: [
      {
        exitCode: 0,
        stoppedBecause: null,
        left: 0,
        hasTrouble: false,
        expected: [],
        asked: [],
        crash: null,
        stoodStill: false,
      },
    ],
    calls: called.map((id, index) => call(id, index * 600)),
    beside: [],
    mostInFlightForOneId: 1,
    isEnded: (id) => called.includes(id),
    report,
    summary: { totals } as Evidence['summary'],
    verification: { run: 'run', isRight: true, head: '', lines: 9, checks: [] },
    filesWithKey: [],
  }
}

const row = (id: string, status: string) => ({ id, status, reason: 'ended', attempts: '1' })
const call = (id: string, atMs: number, status = 200) => ({
  id,
  atMs,
  status,
  method: 'POST',
  path: `/${id}`,
})

test('of a run in which all is right nothing is said', () => {
  expect(offencesIn(evidence())).toEqual([])
})

/** One thing is made wrong; what is named must be among what is said. */
const wrongs: Record<keyof typeof invariants, (right: Evidence) => Partial<Evidence>> = {
  'no ID is lost': ({ report }) => ({ report: report.slice(1) }),
  'only what is asked for is called': ({ calls }) => ({ calls: [...calls, call(ids[3]!, 5000)] }),
  'no ID is called more often than attempts and crashes explain': ({ calls }) => ({
    calls: [...calls, ...calls, call(ids[0]!, 5000)],
  }),
  'where nothing fails, only calls in flight at a crash are made twice': ({ calls }) => ({
    calls: [...calls, call(ids[1]!, 5000)],
  }),
  'never two calls for one ID at once': () => ({ mostInFlightForOneId: 2 }),
  'no window is over its limit as the server sees it': ({ calls }) => ({
    calls: calls.map((one) => ({ ...one, atMs: one.atMs / 2 })),
  }),
  'who is paused from outside calls nothing, and who is throttled keeps to that': ({ executions }) => ({
    executions: executions.map((execution) => ({
      ...execution,
      asked: [{ share: 0, fromMs: 100, toMs: 5000 }],
    })),
  }),
  'who is alone in the windows meets no 429': ({ calls }) => ({
    calls: [...calls, call(ids[1]!, 5000, 429)],
  }),
  '`verify` passes': ({ verification }) => ({
    verification: {
      ...verification,
      checks: [{ name: 'chain', isRight: false, finding: 'line 3 was altered.' }],
    },
  }),
  'totals add up': ({ summary }) => ({
    summary: { ...summary, totals: { ...summary.totals, succeeded: 4 } },
  }),
  'every exit code is right': ({ executions }) => ({
    executions: executions.map((execution) => ({ ...execution, exitCode: 3 })),
  }),
  'the key is in no file': () => ({ filesWithKey: ['run/run.log'] }),
}

test.for(Object.entries(wrongs))('%s: seen when it does not hold', ([name, wrong]) => {
  const right = evidence()
  expect(
    offencesIn({ ...right, ...wrong(right) }).filter((offence) => offence.startsWith(`${name}: `)),
  ).not.toEqual([])
})

test('each invariant is made wrong here', () => {
  expect(Object.keys(wrongs)).toEqual(Object.keys(invariants))
})

test('an item that counts as done and is not ended is lost, and so is one that came to something else', () => {
  const right = evidence()
  expect(offencesIn({ ...right, isEnded: () => false })).toHaveLength(3)
  const report = right.report.map((one) => (one.id === ids[3] ? { ...one, status: 'succeeded' } : one))
  expect(offencesIn({ ...right, report })).toContainEqual(expect.stringContaining('must be filtered'))
})

test('calls of another process count in the windows, and whoever is throttled has smaller ones', () => {
  const right = evidence()
  const beside = [call('beside-1', 300), call('beside-2', 700)]
  expect(offencesIn({ ...right, beside })).toContainEqual(expect.stringContaining('as the server sees it: 3'))
  const throttled = (fromMs: number) =>
    right.executions.map((execution) => ({ ...execution, asked: [{ share: 0.5, fromMs, toMs: 5000 }] }))
  expect(offencesIn({ ...right, executions: throttled(200) })).toContainEqual(
    expect.stringContaining('keeps to that: 2'),
  )
  // What had left when it was seen to.
  expect(offencesIn({ ...right, executions: throttled(500) })).toEqual([])
})

test('a span is over its limit when one more arrives before the window has passed', () => {
  expect(spansOverLimit([0, 50, 99], { max: 2, perMs: 100 })).toEqual([99])
  expect(spansOverLimit([0, 50, 100], { max: 2, perMs: 100 })).toEqual([])
})
