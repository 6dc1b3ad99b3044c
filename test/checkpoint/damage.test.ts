import { appendFileSync, existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { cutTail, damageOf, leaveOutDamage } from '../../src/checkpoint/damage.js'
import { readCheckpoint } from '../../src/checkpoint/read.js'
import { chainedLines } from './chain.js'
import { path, sent, settledAs, write } from './read-scene.js'

const steps = Array.from({ length: 40 }, (_, ordinal) => [sent(ordinal), settledAs(ordinal)]).flat()

async function written() {
  rmSync(path, { force: true })
  await write({ does: 'resume' }, ...steps)
  const bytes = readFileSync(path)
  const starts = [0]
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, at + 1)) starts.push(at + 1)
  return { bytes, starts }
}

test('a whole checkpoint has no damage, and neither has none', async () => {
  expect(damageOf(path)).toBeNull()
  await written()
  expect(damageOf(path)).toBeNull()
})

test('one digit of any line but the last is noticed, and so is a line that is gone', async () => {
  const { bytes, starts } = await written()
  for (const line of [2, 3, 30, 80]) {
    const start = starts[line - 1]!
    const changed = Buffer.from(bytes)
    const digit = changed.indexOf(':', start) + 1
    changed[digit] = changed[digit] === 49 ? 50 : 49
    writeFileSync(path, changed)
    expect(damageOf(path)).toMatchObject({ line, offset: start, isTail: false })
    writeFileSync(path, Buffer.concat([bytes.subarray(0, start), bytes.subarray(starts[line]!)]))
    expect(damageOf(path)).toMatchObject({ line: line - 1, isTail: false })
  }
})

describe('a page of zeros', () => {
  test('counts no item as settled, wherever it begins in a line', async () => {
    const { bytes, starts } = await written()
    for (let from = starts[20]!; from < starts[21]!; from += 7) {
      const zeroed = Buffer.from(bytes).fill(0, from, from + 1024)
      writeFileSync(path, zeroed)
      expect(() => readCheckpoint(path)).toThrow('line 21: not a line of a checkpoint')
      expect(damageOf(path)).toMatchObject({ line: 21, isTail: false })
    }
  })

  test('at the end is a tail, and cut', async () => {
    const { bytes, starts } = await written()
    for (let from = starts[70]! - 1; from < starts[71]!; from += 11) {
      writeFileSync(path, Buffer.from(bytes).fill(0, from))
      const damage = damageOf(path)!
      expect(damage.isTail).toBe(true)
      cutTail(path, damage)
      expect(statSync(path).size).toBe(starts[from < starts[70]! ? 69 : 70])
      expect(damageOf(path)).toBeNull()
    }
  })
})

test.each([
  'garbage\n',
  '{"n":5,"status":"succeeded","reason":"ended","id":"\0\0"}\n',
  '{"n":5,"st',
  '\0\0\n\0',
])('behind the last line %j is a tail', async (tail) => {
  const { bytes } = await written()
  appendFileSync(path, tail)
  expect(damageOf(path)).toMatchObject({ line: 82, offset: bytes.length, isTail: true })
})

test('what is whole follows again behind the damage, and the damaged file stays', async () => {
  const { bytes, starts } = await written()
  await fc.assert(
    fc.asyncProperty(fc.nat(78), fc.integer({ min: 1, max: 2000 }), async (line, length) => {
      const from = starts[line]! + 9
      const damaged = Buffer.from(bytes).fill(0, from, Math.min(from + length, starts[80]! - 1))
      writeFileSync(path, damaged)
      const kept = await leaveOutDamage(path, damageOf(path)!)
      expect(readFileSync(kept)).toEqual(damaged)
      expect(dirname(kept)).toBe(dirname(path))
      rmSync(kept)
      expect(existsSync(`${path}.new`)).toBe(false)
      expect(damageOf(path)).toBeNull()
      const lines = chainedLines(path)
      const before = bytes.subarray(0, starts[line]).toString().split('\n').slice(0, -1)
      const after = lines.slice(before.length)
      expect(after[0]).toMatchObject({ event: 'damage-accepted' })
      const last = Math.floor((line - 1) / 2)
      const { settled } = readCheckpoint(path)
      for (let ordinal = 0; ordinal < last; ordinal++) expect(settled.has(ordinal)).toBe(true)
      expect(settled.has(39)).toBe(true)
    }),
    { numRuns: 12 },
  )
})
