import { describe, expect, test } from 'vitest'
import type { Item, Outcome } from '../src/item.js'
import { type Line, runLine } from '../src/run.js'
import type { InputItem } from '../src/sources/items.js'
import { Stop } from '../src/system/stop.js'

const onHold: Outcome = { status: 'filtered', reason: 'on_hold', httpStatus: null, message: '' }

const itemOf = (ordinal: number): Item => ({
  ordinal,
  id: `66f2a91c4be07d3f5c1e${String(ordinal).padStart(4, '0')}`,
  source: 'conversations.csv',
  line: ordinal + 2,
  record: () => ({}),
})
const toCall = (ordinal: number): InputItem => ({ item: itemOf(ordinal), outcome: null })
const toLeave = (ordinal: number): InputItem => ({ item: itemOf(ordinal), outcome: onHold })
const numbers = (count: number) => Array.from({ length: count }, (_, ordinal) => ordinal)

/** A line whose calls end when the test says so. */
class Bench {
  readonly stop = new Stop()
  /** Ordinals in the order in which things happened. */
  readonly begun: number[] = []
  readonly ended: number[] = []
  readonly left: number[] = []
  batchesRead = 0
  inProgressMost = 0
  readonly #waiting = new Map<number, { resolve: () => void; reject: (error: unknown) => void }>()

  constructor(
    private readonly batches: readonly (readonly InputItem[])[],
    private readonly changes: Partial<Line> = {},
  ) {}

  run(): Promise<void> {
    const bench = this
    const running = runLine({
      items: (async function* () {
        for (const batch of bench.batches) {
          bench.batchesRead += 1
          yield batch
        }
      })(),
      isSettled: () => false,
      mayBegin: () => true,
      settleByCalling: ({ ordinal }) => this.#call(ordinal),
      settleWithoutCalling: ({ ordinal }) => void this.left.push(ordinal),
      itemsInProgressMax: 4,
      stop: this.stop,
      ...this.changes,
    })
    running.catch(() => {})
    return running
  }

  async #call(ordinal: number): Promise<void> {
    this.begun.push(ordinal)
    this.inProgressMost = Math.max(this.inProgressMost, this.#waiting.size + 1)
    await new Promise<void>((resolve, reject) => this.#waiting.set(ordinal, { resolve, reject }))
    this.ended.push(ordinal)
  }

  end(ordinal: number): Promise<void> {
    return this.#take(ordinal, ({ resolve }) => resolve())
  }

  fail(ordinal: number, error: unknown): Promise<void> {
    return this.#take(ordinal, ({ reject }) => reject(error))
  }

  async #take(
    ordinal: number,
    act: (call: { resolve: () => void; reject: (error: unknown) => void }) => void,
  ) {
    const call = this.#waiting.get(ordinal)
    if (call === undefined) expect.fail(`item ${ordinal} is not in progress`)
    this.#waiting.delete(ordinal)
    act(call)
    await settle()
  }

  /** Ends what is in progress, oldest first, until nothing new begins. */
  async endAll(): Promise<void> {
    await settle()
    while (this.#waiting.size > 0) await this.end([...this.#waiting.keys()][0]!)
  }
}

async function settle(): Promise<void> {
  for (let round = 0; round < 5; round++) await new Promise((resolve) => setImmediate(resolve))
}

async function isOver(running: Promise<void>): Promise<boolean> {
  let over = false
  running
    .finally(() => {
      over = true
    })
    .catch(() => {})
  await settle()
  return over
}

describe('the line', () => {
  test('of nothing is at its end', async () => {
    await new Bench([]).run()
    await new Bench([[], []]).run()
  })

  test('begins items in the order of the input and waits for all of them', async () => {
    const bench = new Bench([numbers(5).map(toCall), numbers(10).slice(5).map(toCall)])
    const running = bench.run()
    await settle()
    await bench.end(2)
    await bench.end(0)
    await bench.end(1)
    expect(await isOver(running)).toBe(false)
    await bench.endAll()
    await running
    expect(bench.begun).toEqual(numbers(10))
    expect([...bench.ended].sort((a, b) => a - b)).toEqual(numbers(10))
  })

  test('never has more in progress than it may, and reads no further ahead than that', async () => {
    const bench = new Bench(numbers(50).map((ordinal) => [toCall(ordinal)]))
    const running = bench.run()
    await settle()
    expect(bench.begun).toEqual([0, 1, 2, 3])
    expect(bench.batchesRead).toBe(5)
    await bench.endAll()
    await running
    expect(bench.inProgressMost).toBe(4)
    expect(bench.ended).toHaveLength(50)
  })

  test('settles what needs no call in its turn, without waiting for calls', async () => {
    const bench = new Bench([[toCall(0), toLeave(1), toLeave(2), toCall(3)]])
    const running = bench.run()
    await settle()
    expect(bench.left).toEqual([1, 2])
    expect(bench.begun).toEqual([0, 3])
    await bench.endAll()
    await running
  })

  test('passes over what is settled, whether it needed a call or not', async () => {
    const bench = new Bench([[toCall(0), toLeave(1), toCall(2), toLeave(3)]], {
      isSettled: ({ ordinal }) => ordinal < 2,
    })
    const running = bench.run()
    await bench.endAll()
    await running
    expect({ begun: bench.begun, left: bench.left }).toEqual({ begun: [2], left: [3] })
  })

  test('asks for each call whether it may begin, and for nothing else', async () => {
    const asked: number[] = []
    const bench = new Bench([[toCall(0), toLeave(1), toCall(2), toCall(3)]], {
      mayBegin: () => asked.push(asked.length) < 3,
    })
    const running = bench.run()
    await bench.endAll()
    await running
    expect(asked).toHaveLength(3)
    expect(bench.begun).toEqual([0, 2])
  })
})

describe('a stop', () => {
  test('lets what is in progress end, and nothing new begins', async () => {
    const bench = new Bench([numbers(8).map(toCall), [toLeave(8)]])
    const running = bench.run()
    await settle()
    bench.stop.request({ exitCode: 130, because: 'SIGINT received' })
    expect(await isOver(running)).toBe(false)
    await bench.endAll()
    await running
    expect(bench.ended).toEqual([0, 1, 2, 3])
    expect(bench.left).toEqual([])
  })

  test('closes the source', async () => {
    let isClosed = false
    const bench = new Bench([], {
      items: (async function* () {
        try {
          for (let ordinal = 0; ; ordinal++) yield [toCall(ordinal)]
        } finally {
          isClosed = true
        }
      })(),
    })
    const running = bench.run()
    await settle()
    bench.stop.request({ exitCode: 75, because: '--max-duration reached' })
    await bench.endAll()
    await running
    expect(isClosed).toBe(true)
  })

  test('before the beginning leaves everything as it is', async () => {
    const bench = new Bench([[toLeave(0), toCall(1)]])
    bench.stop.request({ exitCode: 130, because: 'SIGINT received' })
    await bench.run()
    expect([...bench.begun, ...bench.left]).toEqual([])
  })

  test('that mayBegin asks for leaves that item and all after it', async () => {
    const bench: Bench = new Bench([[toCall(0), toCall(1), toLeave(2), toCall(3)]], {
      mayBegin() {
        if (bench.begun.length < 1) return true
        bench.stop.request({ exitCode: 75, because: '--max-items 1 reached', finishesItems: true })
        return false
      },
    })
    const running = bench.run()
    await bench.endAll()
    await running
    expect({ begun: bench.begun, left: bench.left }).toEqual({ begun: [0], left: [] })
  })
})

describe('a bug', () => {
  const bug = new TypeError('cannot read properties of undefined')

  test('in a call is thrown when the others have ended, and nothing new begins', async () => {
    const bench = new Bench([numbers(8).map(toCall)])
    const running = bench.run()
    await settle()
    await bench.fail(1, bug)
    expect(await isOver(running)).toBe(false)
    await bench.endAll()
    await expect(running).rejects.toBe(bug)
    expect(bench.begun).toEqual([0, 1, 2, 3])
    expect(bench.ended).toEqual([0, 2, 3])
  })

  test.each([
    [
      'in the source',
      {
        items: (async function* () {
          yield [toCall(0), toCall(1)]
          throw bug
        })(),
      },
    ],
    [
      'in settling without a call',
      {
        settleWithoutCalling() {
          throw bug
        },
      },
    ],
    [
      'in asking what is settled',
      {
        isSettled({ ordinal }: Item) {
          if (ordinal === 2) throw bug
          return false
        },
      },
    ],
  ] satisfies [string, Partial<Line>][])('%s is thrown when the calls have ended', async (_, changes) => {
    const bench = new Bench([[toCall(0), toCall(1), toLeave(2), toCall(3)]], changes)
    const running = bench.run()
    expect(await isOver(running)).toBe(false)
    await bench.endAll()
    await expect(running).rejects.toBe(bug)
    expect(bench.ended).toEqual([0, 1])
  })

  test('that comes first is the one that is told', async () => {
    const bench = new Bench([numbers(3).map(toCall)])
    const running = bench.run()
    await settle()
    await bench.fail(2, bug)
    await bench.fail(0, new Error('another'))
    await bench.endAll()
    await expect(running).rejects.toBe(bug)
  })
})
