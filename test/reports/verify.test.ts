import { expect, test } from 'vitest'
import { readTogether } from '../../src/reports/verify.js'

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
    for await (const night of nights) if (night === last) break
    return [last]
  }

test('every reader gets the whole stream, and it is read once', async () => {
  const made: string[] = []
  expect(await readTogether(toEach(made), [all, all, all])).toEqual([nights, nights, nights])
  expect(made).toEqual(nights)
})

test('a reader that has read enough, or wants nothing, does not keep the others waiting', async () => {
  const nothing: Reader = async () => ['nothing']
  expect(await readTogether(toEach(), [upTo('Tuesday'), nothing, all])).toEqual([
    ['Tuesday'],
    ['nothing'],
    nights,
  ])
})

test('the stream is read no further than its last reader reads, and is closed', async () => {
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

test('an error of the stream reaches every reader', async () => {
  async function* torn(): AsyncGenerator<string> {
    yield 'Monday'
    throw new Error('the line is torn')
  }
  const orWhy: Reader = (nights) => all(nights).catch((error: Error) => [error.message])
  expect(await readTogether(torn(), [orWhy, orWhy])).toEqual([['the line is torn'], ['the line is torn']])
})
