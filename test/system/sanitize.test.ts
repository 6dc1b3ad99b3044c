import fc from 'fast-check'
import { expect, test } from 'vitest'
import { cleanMessage, messageOf } from '../../src/system/text.js'

test.each([
  ['Conversation not found.', 'Conversation not found.'],
  ['  two\r\n lines\tand\u00a0spaces \u2028', 'two lines and spaces'],
  ['\u001b[31mred\u001b[0m', 'red'],
  ['\u001b]8;;https://evil.example\u0007click\u001b]8;;\u0007', 'click'],
  ['\u001b]0;a title that never ends', ''],
  ['\u001b\u001b[0m[2Jgone', '[2Jgone'],
  ['\u009b31mred', '31mred'],
  ['bell\u0007 and null\0', 'bell and null'],
  ['user\u202ecod.exe', 'user cod.exe'],
  ['\ufeffmark, zero\u200bwidth', 'mark, zero width'],
  ['half a \ud83d smile', 'half a smile'],
  ['Grüße 🙂 日本', 'Grüße 🙂 日本'],
  ['', ''],
])('%j is shown as %j', (text, shown) => {
  expect(cleanMessage(text)).toBe(shown)
})

test('a long message ends in an ellipsis at its greatest length', () => {
  expect(cleanMessage('a'.repeat(300))).toBe('a'.repeat(300))
  expect(cleanMessage('a'.repeat(301))).toBe(`${'a'.repeat(299)}…`)
  expect(cleanMessage('abcdef', 4)).toBe('abc…')
})

test('a character of two halves is not cut in two', () => {
  expect(cleanMessage('ab🙂🙂', 4)).toBe('ab…')
})

test('whatever comes in, one printable line of at most the greatest length comes out', () => {
  const piece = fc.oneof(
    fc.string({ unit: fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)), maxLength: 10 }),
    fc.constantFrom('\u001b[31m', '\u001b]0;', '\u202e', '\n', '\ud83d', '\u0007', 'error '),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 6 }), fc.integer({ min: 1, max: 40 }), (pieces, max) => {
      const clean = cleanMessage(pieces.join(''), max)
      expect(clean.length).toBeLessThanOrEqual(max)
      expect(clean).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      expect(cleanMessage(clean, max)).toBe(clean)
    }),
  )
})

test('a long message costs no more than a short one', () => {
  const long = '\u001b]'.repeat(10_000_000)
  const before = process.cpuUsage()
  cleanMessage(long)
  expect(process.cpuUsage(before).user / 1000).toBeLessThan(200)
})

test.each([
  [new Error('the disk is full'), 'the disk is full'],
  [new TypeError(''), 'TypeError'],
  ['just a word', 'just a word'],
  [undefined, 'undefined'],
  [{ code: 7 }, '[object Object]'],
  [new Error('two\nlines'), 'two lines'],
])('of what was thrown, %j, people are told %j', (thrown, told) => {
  expect(messageOf(thrown)).toBe(told)
})
