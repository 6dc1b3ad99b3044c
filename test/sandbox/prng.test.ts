import { expect, test } from 'vitest'
import { prngOf } from '../../src/sandbox/prng.js'

function numbers(key: string, count: number): number[] {
  return Array.from({ length: count }, prngOf(key))
}

test('the same key gives the same numbers, another key others', () => {
  expect(numbers('1 POST /end/ 1', 5)).toEqual(numbers('1 POST /end/ 1', 5))
  expect(numbers('1 POST /end/ 1', 5)).not.toEqual(numbers('1 POST /end/ 2', 5))
})

test('the first numbers of keys that differ little are spread evenly from 0 to 1', () => {
  const tenths = Array(10).fill(0)
  for (let index = 0; index < 10_000; index += 1) {
    const first = prngOf(`7 POST /api/v2/conversations/66f2a91c4be07d3f5c${index}/end/ 1`)()
    tenths[Math.floor(first * 10)] += 1
  }
  // 1,000 each on average with a standard deviation of 30.
  for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150)
})
