import { expect, test } from 'vitest'
import { readTogether } from '../../src/reports/verify-read-together.js'

const nights = ['Monday', 'Tuesday', 'Wednesday', 'Thursday']

async function* toEach(made: string[] = []): AsyncGenerator<string> {
  for (const night of nights) {
    made.push(night)
    yield night
  }
}

type Reader = (nights: AsyncIterable<string>) => Promise<string[]>

const all: Reader = async (nights) => {
  const seen = []
  for await (const night of nights) seen.push(night)
  return seen
}

const upTo =
  (last: string): Reader =>
  async (nights) => {
    const seen = []
    for await (const night of nights) {
      seen.push(night)
      if (night === last) break
    }
    return seen
  }

test('every reader is given everything, and each thing is made once', async () => {
  const made: string[] = []
  expect(await readTogether(toEach(made), [all, all, all])).toEqual([nights, nights, nights])
  expect(made).toEqual(nights)
})

test('a reader that has seen enough, or wants nothing, does not keep the others waiting', async () => {
  const nothing: Reader = async () => ['nothing']
  expect(await readTogether(toEach(), [upTo('Tuesday'), nothing, all])).toEqual([
    ['Monday', 'Tuesday'],
    ['nothing'],
    nights,
  ])
})

test('nothing is made further than its last reader reads, and it is closed', async () => {
  let isClosed = false
  const made: string[] = []
  async function* closing() {
    try {
      yield* toEach(made)
    } finally {
      isClosed = true
    }
  }
  await readTogether(closing(), [upTo('Monday'), upTo('Tuesday')])
  expect(made).toEqual(['Monday', 'Tuesday'])
  expect(isClosed).toBe(true)
})

test('what a reader leaves behind is given nothing more, and holds nobody up', async () => {
  let behind: Promise<string[]> | undefined
  const leaving: Reader = async (nights) => {
    behind = all(nights)
    return ['left']
  }
  expect(await readTogether(toEach(), [leaving, all])).toEqual([['left'], nights])
  expect(await behind).toEqual(['Monday'])
})

test('what goes wrong in the making reaches every reader', async () => {
  async function* torn(): AsyncGenerator<string> {
    yield 'Monday'
    throw new Error('the line is torn')
  }
  const orWhy: Reader = (nights) => all(nights).catch((error: Error) => [error.message])
  expect(await readTogether(torn(), [orWhy, orWhy])).toEqual([['the line is torn'], ['the line is torn']])
})
