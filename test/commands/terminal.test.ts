import { expect, test } from 'vitest'
import { printable } from '../../src/commands/terminal.js'

test('what comes from outside cannot steer the terminal, nor turn the direction of writing', () => {
  const evil = 'a\u001b[2J\rb\u0007\u009b31m\u202etxt\u0000\u007f'
  expect(printable(evil)).toBe('a\\u001b[2J\\u000db\\u0007\\u009b31m\\u202etxt\\u0000\\u007f')
  expect(printable('Grüße\n\t🙂 – “ok”')).toBe('Grüße\n\t🙂 – “ok”')
})

test('a JSON document stays the same document', () => {
  const value = { run: 'a\u001b[2J\u009b31m\u202e\u007f', list: ['\u2066x'] }
  expect(JSON.parse(printable(JSON.stringify(value, null, 2)))).toEqual(value)
})
