import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readConversationId, readEndUserId } from '../../src/sources/identifier.js'

describe('the ID of a conversation', () => {
  test.each([
    ...['66f2a91c4be07d3f5c1e0001', 'a', '0', '-', '_', 'a.b', '.a', 'a.', 'v1.2', 'a b'],
    ...[
      'f47ac10b-58cc-4372-a567-0e02b2c3d479',
      'conv:42',
      'a?b',
      'a#b',
      '%2e%2e',
      'a\\b',
      'ä🙂日本',
      'a'.repeat(200),
    ],
  ])('%j may be called', (id) => {
    expect(readConversationId(id)).toEqual({ id, problem: null })
  })

  test.each([
    ['a/b', 'contains a slash'],
    ['/', 'contains a slash'],
    ['.', 'contains dots that climb in a path'],
    ['..', 'contains dots that climb in a path'],
    ['a..b', 'contains dots that climb in a path'],
    ['a'.repeat(201), 'longer than 200 characters'],
    ['a\nb', 'contains a character that cannot be printed'],
    ['a\0', 'contains a character that cannot be printed'],
    ['a\u007f', 'contains a character that cannot be printed'],
    ['a\u00a0b', 'contains a character that cannot be printed'],
    ['a\u200bb', 'contains a character that cannot be printed'],
    ['a\u202eb', 'contains a character that cannot be printed'],
    ['a\u2028b', 'contains a character that cannot be printed'],
    ['a\ufeffb', 'contains a character that cannot be printed'],
    ['a\ufffd', 'contains a character that cannot be printed'],
    ['a\ud83d', 'contains a character that cannot be printed'],
    ['\udc00a', 'contains a character that cannot be printed'],
  ])('%j may not: it %s', (id, problem) => {
    expect(readConversationId(id)).toEqual({ id, problem })
  })

  test('that may be called stays one segment of the path, and comes back out of it', () => {
    const piece = fc.oneof(
      fc.nat(0x10ffff).map((code) => String.fromCodePoint(code)),
      fc.constantFrom(
        '.',
        '..',
        '/',
        '\\',
        '%2e',
        '%2F',
        '%',
        '?',
        '#',
        ';',
        '@',
        ':',
        '//',
        'a',
        ' ',
        '\t',
        '\ud83d',
      ),
    )
    let passed = 0
    fc.assert(
      fc.property(fc.array(piece, { minLength: 1, maxLength: 4 }), (pieces) => {
        const { id, problem } = readConversationId(pieces.join(''))
        if (id === '' || problem !== null) return
        passed += 1
        const path = `/api/v2/conversations/${encodeURIComponent(id)}/end/`
        const url = new URL(`https://acme.ada.support${path}`)
        expect(url.pathname).toBe(path)
        expect(url.search + url.hash).toBe('')
        expect(decodeURIComponent(url.pathname.split('/')[4]!)).toBe(id)
      }),
      { numRuns: 600 },
    )
    expect(passed).toBeGreaterThan(50)
  })
})

test('white space and invisible characters around an ID are taken off', () => {
  const id = '66f2a91c4be07d3f5c1e0001'
  for (const cell of [
    ` ${id} `,
    `\u00a0${id}\u00a0`,
    `\u200b${id}\u200b`,
    `\ufeff${id}`,
    `\t${id}`,
    `${id}\u200f\n`,
  ])
    expect(readConversationId(cell)).toEqual({ id, problem: null })
  expect(readConversationId(' \u200b ')).toEqual({ id: '', problem: null })
})

test.each([
  ['a/b', null],
  ['..', null],
  ['jane.doe+ada@example.com', null],
  ['a'.repeat(1000), null],
  ['a'.repeat(1001), 'longer than 1000 characters'],
  ['a\u202eb', 'contains a character that cannot be printed'],
])('the identifier %j of an end user may hold what a path must not', (cell, problem) => {
  expect(readEndUserId(cell)).toEqual({ id: cell, problem })
})
