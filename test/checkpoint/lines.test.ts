import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readSpan, scanLines } from '../../src/checkpoint/log.js'

let directory: string
let path: string
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ada-bulk-lines-'))
  path = join(directory, 'checkpoint.jsonl')
})
afterAll(() => rmSync(directory, { recursive: true }))

interface Line {
  text: string
  offset: number
}

function linesOf(bytes: string | Buffer): { lines: Line[]; length: number } {
  writeFileSync(path, bytes)
  const lines: Line[] = []
  const length = scanLines(path, (buffer, start, end, offset) => {
    lines.push({ text: buffer.toString('latin1', start, end), offset })
  })
  return { lines, length }
}

/** The same the plain way. */
function naiveLinesOf(bytes: Buffer): { lines: Line[]; length: number } {
  const text = bytes.toString('latin1')
  const length = text.lastIndexOf('\n') + 1
  let offset = 0
  const lines = text
    .slice(0, length)
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const found = { text: line, offset }
      offset += line.length + 1
      return found
    })
  return { lines, length }
}

/** A difference between megabytes would take vitest minutes to print. */
function expectSame(bytes: Buffer): void {
  const [ours, naive] = [linesOf(bytes), naiveLinesOf(bytes)]
  expect(ours.length).toBe(naive.length)
  expect(ours.lines.map(({ offset }) => offset)).toEqual(naive.lines.map(({ offset }) => offset))
  expect(ours.lines.every(({ text }, index) => text === naive.lines[index]!.text)).toBe(true)
}

test('a file of nothing has no lines, and a torn line is left out', () => {
  expect(linesOf('')).toEqual({ lines: [], length: 0 })
  expect(linesOf('{"n":0')).toEqual({ lines: [], length: 0 })
  expect(linesOf('{"n":0}\n{"n":1')).toEqual({ lines: [{ text: '{"n":0}', offset: 0 }], length: 8 })
})

test('lines are found as by splitting, whatever bytes they have', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(Buffer.from('\n')))),
      (pieces) => {
        expectSame(Buffer.concat(pieces))
      },
    ),
  )
})

const mebibyte = 1024 * 1024

test.each([mebibyte, 2 * mebibyte])('lines are found around a border of %i bytes', (border) => {
  for (const before of [-2, -1, 0, 1, 2]) {
    const line = 'a'.repeat(9999)
    const upToBorder = `${line}\n`.repeat(Math.ceil(border / 10_000)).slice(0, border + before - 1)
    expectSame(Buffer.from(`${upToBorder}\n${'b'.repeat(5000)}\nc`))
  }
})

test.each([1, 2, 3, 5])('a line of %i MiB is read, and so is what follows it', (size) => {
  for (const more of [-1, 0, 1]) {
    const long = 'x'.repeat(size * mebibyte + more)
    expectSame(Buffer.from(`first\n${long}\nlast\n`))
    expectSame(Buffer.from(`${long}\n`))
    expectSame(Buffer.from(`first\n${long}`))
  }
})

test('a span of a file is read, as far as the file goes', () => {
  writeFileSync(path, '0123456789')
  expect(readSpan(path, 2, 5).toString()).toBe('234')
  expect(readSpan(path, 8, 20).toString()).toBe('89')
  expect(readSpan(path, 4, 4).toString()).toBe('')
})
