import { appendFileSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { firstHead } from '../../src/checkpoint/log.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import type { SettledItem } from '../../src/item.js'
import { UsageError } from '../../src/system/errors.js'
import { anySettled, anyStep } from './arbitrary-steps.js'
import { chainedLines, headOf, settledIn } from './chain.js'
import { openOf, path, settledAs, write } from './read-scene.js'

test('a checkpoint that is not there yet says nothing', () => {
  const state = readCheckpoint(path)
  expect(state).toMatchObject({
    bytes: 0,
    head: firstHead,
    events: [],
    requests: { sent: 0, rateLimited: 0 },
  })
  expect(state.settled.size).toBe(0)
})

test('it says what is settled, how long it is and what its last line hashes to', async () => {
  await write({ does: 'resume' }, settledAs(0), settledAs(31, 'failed', 'not_found'), settledAs(4))
  const state = readCheckpoint(path)
  expect([0, 1, 4, 31, 32].filter((ordinal) => state.settled.has(ordinal))).toEqual([0, 4, 31])
  expect(state.tally.totals(40)).toMatchObject({ succeeded: 2, failed: 1, left: 37 })
  expect(state.tally.reasons()).toEqual({ ended: 2, not_found: 1 })
  expect(state.events.map(({ event }) => event)).toEqual(['resumed'])
  expect(state.bytes).toBe(statSync(path).size)
  expect(state.head).toBe(headOf(path))
})

describe('a torn tail', () => {
  test('is not counted, wherever the last line is torn, and the next line stands in its place', async () => {
    await write(settledAs(0), settledAs(1))
    const whole = readFileSync(path)
    const second = whole.indexOf(10) + 1
    for (let length = second; length < whole.length; length += 13) {
      writeFileSync(path, whole.subarray(0, length))
      const state = readCheckpoint(path)
      expect(state.bytes).toBe(second)
      expect(state.settled.has(0)).toBe(true)
      expect(state.settled.has(1)).toBe(false)
      await write(settledAs(1))
      expect(chainedLines(path).map(({ n }) => n)).toEqual([0, 1])
    }
  })

  test('of the first line leaves nothing', async () => {
    await write(settledAs(0))
    truncateSync(path, 20)
    expect(readCheckpoint(path)).toMatchObject({ bytes: 0, head: firstHead })
  })
})

describe('a line that is not ours', () => {
  test.each([
    ['words', 'hello'],
    ['nothing', ''],
    ['half a line', '{"n"'],
    ['JSON of another kind', '{"id":"66f2a91c"}'],
    ['no object', '7'],
    ['null', 'null'],
    ['a number without digits', '{"n":x,"status":"succeeded","reason":"ended","id":"a","prev":"b"}'],
    ['a number that is not whole', '{"n":1.5,"status":"succeeded","reason":"ended","id":"a","prev":"b"}'],
    ['a number beyond counting', '{"n":99999999999999999999,"status":"succeeded","reason":"ended","id":"a"}'],
    ['no status', '{"n":1,"id":"a"}'],
    ['a status of its own', '{"n":1,"status":"fine","reason":"ended","id":"a"}'],
  ])('is named with its number: %s', async (_, line) => {
    await write(settledAs(0))
    appendFileSync(path, `${line}\n{"event":"finished"}\n`)
    const reading = () => readCheckpoint(path)
    expect(reading).toThrow(UsageError)
    expect(reading).toThrow(`${path}, line 2: not a line of a checkpoint. Was the file edited?`)
  })
})

/** What a checkpoint says, by parsing each of its lines. */
function naiveState(): {
  settled: Map<number, SettledItem>
  open: object
  sent: number
  rateLimited: number
  events: number
} {
  const settled = new Map<number, SettledItem>()
  const open = new Map<number, { calls: number; back: number }>()
  let events = 0
  let sentCalls = 0
  let rateLimited = 0
  for (const line of chainedLines(path)) {
    const { n, sent, look, back, carried, event } = line as Record<string, number>
    if (n !== undefined) {
      if (!settled.has(n)) settled.set(n, settledIn(JSON.stringify(line))!)
      open.delete(n)
    } else if (sent !== undefined) {
      sentCalls += 1
      const { calls, back } = open.get(sent) ?? { calls: 0, back: 0 }
      open.set(sent, { calls: calls + 1, back })
    } else if (look !== undefined) {
      const { calls, back } = open.get(look) ?? { calls: 0, back: 0 }
      sentCalls += 1
      open.set(look, { calls: calls + 1, back: back + 1 })
    } else if (back !== undefined) {
      if (line.reason === 'rate_limited') rateLimited += 1
      const earlier = open.get(back)
      if (earlier && !line.read) earlier.back = Math.min(earlier.calls, earlier.back + 1)
    } else if (carried !== undefined) {
      const calls = line.calls as number
      open.set(carried, { calls, back: line.lost ? calls - 1 : calls })
    } else if (event !== undefined) {
      events += 1
      if (line.event !== 'input-changed') continue
      settled.clear()
      open.clear()
    }
  }
  const isLost = [...open].map(([ordinal, { calls, back }]) => [
    ordinal,
    { calls, isAnswerLost: back < calls },
  ])
  return { settled, open: Object.fromEntries(isLost), sent: sentCalls, rateLimited, events }
}

test('what is read by first bytes is what parsing every line gives', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(anyStep, { maxLength: 60 }),
      fc.array(anyStep, { maxLength: 10 }),
      async (first, then) => {
        rmSync(path, { force: true })
        await write(...first)
        await write(...then)
        const offsets = new Map<number, number>()
        const state = readCheckpoint(path, {
          onSettled: (ordinal, offset) => offsets.set(ordinal, offset),
          onInputChanged: () => offsets.clear(),
        })
        const naive = naiveState()
        const read = 200_000
        expect(state.settled.size).toBe(naive.settled.size)
        expect(openOf(state)).toEqual(naive.open)
        expect(state.requests).toEqual({ sent: naive.sent, rateLimited: naive.rateLimited })
        expect(state.events).toHaveLength(naive.events)
        const totals = { succeeded: 0, failed: 0, unknown: 0, invalid: 0, duplicate: 0, filtered: 0 }
        const reasons: Record<string, number> = {}
        const text = readFileSync(path)
        for (const [ordinal, item] of naive.settled) {
          totals[item.status] += 1
          reasons[item.reason] = (reasons[item.reason] ?? 0) + 1
          expect(state.settled.has(ordinal)).toBe(true)
          const offset = offsets.get(ordinal)!
          expect(settledIn(text.toString('utf8', offset, text.indexOf(10, offset)))).toEqual(item)
        }
        expect(state.tally.totals(read)).toEqual({ read, ...totals, left: read - naive.settled.size })
        expect(state.tally.reasons()).toEqual(reasons)
      },
    ),
    { numRuns: 40 },
  )
})

test('a settled item comes back from its line as it went in', async () => {
  await fc.assert(
    fc.asyncProperty(anySettled, async (settled) => {
      rmSync(path, { force: true })
      await write({ does: 'settle', settled })
      expect(settledIn(readFileSync(path, 'utf8').trimEnd())).toEqual(settled)
    }),
    { numRuns: 30 },
  )
})
