import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { idKey, readConversationId, readEndUserId } from '../../src/sources/identifier.js'

describe('the ID of a conversation', () => {
  test.each([
    ...['66f2a91c4be07d3f5c1e0001', 'a', '0', '_', 'a.b', '.a', 'a.', 'v1.2', 'a b'],
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

const id = '66f2a91c4be07d3f5c1e000a'
test.each([
  ...[
    ` ${id}`,
    `\u2067${id}\u2069`,
    `\u00ad${id}\ufe0f`,
    `'${id}`,
    `"${id}"`,
    `“${id}”`,
    `«${id}»`,
    `'${id}'`,
  ],
  ...[`="${id}"`, `=“${id}”`, `ObjectId("${id}")`, `ObjectId(${id})`, `new ObjectId('${id}')`],
  ...[
    `{"$oid":"${id}"}`,
    `{ '$oid' : '${id}' }`,
    `<${id}>`,
    `\`${id}\``,
    `- ${id}`,
    `• ${id}`,
    `-${id}`,
    `3. ${id}`,
  ],
  ...[
    `${id},`,
    `${id};`,
    `"${id}",`,
    `${id} (legal)`,
    `${id}(legal)`,
    `${id} # Jane`,
    `${id} Jane asked`,
    `${id}.`,
  ],
  ...[`https://acme.ada.support/conversations/${id}`, `acme.ada.support/conversations/${id}?tab=1#m`],
  ...[`https://acme.ada.support/api/v2/conversations/${id}/end/`, `/api/v2/conversations/${id}/`],
  ...[
    `https://acme.ada.support/conversations?conversation_id=${id}`,
    `[Jane](https://acme.ada.support/c/${id})`,
  ],
  ...[
    `https://acme.ada.support/users/66f2a91c4be07d3f5c1e0bbb/conversations/${id}/messages/66f2a91c4be07d3f5c1e0ccc`,
  ],
  ...[
    `=HYPERLINK("https://acme.ada.support/conversations/${id}","${id}")`,
    `<https://acme.ada.support/conversations/${id}|Jane>`,
  ],
])('%j is read as the ID in it', (cell) => {
  expect(readConversationId(cell)).toEqual({ id, problem: null })
})

test.each([
  [`${id} 66f2a91c4be07d3f5c1e000b`, 'holds more than one ID'],
  [`${id},66f2a91c4be07d3f5c1e000b`, 'holds more than one ID'],
  ['https://acme.ada.support/conversations/list', 'is a link that names no conversation'],
  ['https://acme.ada.support/users/66f2a91c4be07d3f5c1e0bbb', 'is a link that names no conversation'],
])('%j is no ID: it %s', (cell, problem) => {
  expect(readConversationId(cell)).toEqual({ id: cell, problem })
})

test.each([
  ...['jane@example.com', ' jane@example.com ', "'jane@example.com", 'Jane Doe <jane@example.com>'],
  ...[
    '"Jane Doe" <jane@example.com>;',
    'mailto:jane@example.com?subject=Hi',
    'jane@example.com;',
    'jane@example.com.',
  ],
  ...['<mailto:jane@example.com>', 'jane@example.com (legal)', '="jane@example.com"'],
])('%j is read as the address in it', (cell) => {
  expect(readEndUserId(cell)).toEqual({ id: 'jane@example.com', problem: null })
})

test('spellings that the API or Unicode take for the same have one key, others have not', () => {
  for (const [one, other] of [
    ['66F2A91C4BE07D3F5C1E000A', id],
    ['josé-17', 'jose\u0301-17'],
    ['Jane@Müller.de', 'jane@xn--mller-kva.de'],
  ] as const)
    expect(idKey(one)).toBe(idKey(other))
  expect(idKey('jose-17')).not.toBe(idKey('josé-17'))
})

const around: readonly ((id: string) => string)[] = [
  ...[' ', '\u00a0', '\u3000', '\t', '\u200b', '\ufeff', '\u202a', '\u2066'].map(
    (mark) => (text: string) => `${mark}${text}${mark}`,
  ),
  ...['""', "''", '``', '“”', '‘’', '«»', '„“', '<>'].map(
    ([open, close]) =>
      (text: string) =>
        `${open}${text}${close}`,
  ),
  (text) => `'${text}`,
  (text) => `="${text}"`,
  (text) => `ObjectId("${text}")`,
  (text) => `ObjectId(${text})`,
  (text) => `{"$oid":"${text}"}`,
  (text) => `- ${text}`,
  (text) => `${text},`,
  (text) => `${text};`,
]
const noted: readonly ((id: string) => string)[] = [
  (text) => text,
  (text) => `${text} (legal)`,
  (text) => `${text} # asked by Jane`,
  (text) => `https://acme.ada.support/conversations/${text}`,
  (text) => `=HYPERLINK("https://acme.ada.support/conversations/${text}/","open")`,
]
const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: length, maxLength: length })
const anyId = fc.oneof(hex(24), fc.uuid(), fc.stringMatching(/^[A-Za-z0-9_-]{5,40}$/))

test('whatever is put around an ID, it is the same ID; and never another one', () => {
  const decorated = fc.record({
    id: anyId,
    wraps: fc.array(fc.constantFrom(...around), { maxLength: 3 }),
    note: fc.constantFrom(...noted),
  })
  const read = ({
    id,
    wraps,
    note,
  }: {
    id: string
    wraps: ((id: string) => string)[]
    note: (id: string) => string
  }) => readConversationId(wraps.reduce((text, wrap) => wrap(text), note(id)))
  fc.assert(
    fc.property(decorated, decorated, (one, other) => {
      fc.pre(idKey(one.id) !== idKey(other.id))
      expect(read(one)).toEqual({ id: one.id, problem: null })
      expect(idKey(read(one).id)).not.toBe(idKey(read(other).id))
    }),
    { numRuns: 2000 },
  )
})

describe('what cannot be an ID', () => {
  test.each([
    ['6.69123E+23', 'Excel rounded this number; export the column as text'],
    ['5,0E+23', 'Excel rounded this number; export the column as text'],
    ['5E+23', 'Excel rounded this number; export the column as text'],
    ['#N/A', 'is the error of a spreadsheet cell'],
    ['="#REF!"', 'is the error of a spreadsheet cell'],
    ['#BEZUG!', 'is the error of a spreadsheet cell'],
    ['NULL', 'stands for no value'],
    ['"nan"', 'stands for no value'],
    ['None', 'stands for no value'],
    ['n/a', 'stands for no value'],
    ['-', 'stands for no value'],
    ['Total', 'is a total, not an ID'],
    ['Grand Total: 377', 'is a total, not an ID'],
    ['(377 rows)', 'is a total, not an ID'],
    ['# asked by Jane', 'is a comment'],
    ['// 66f2a91c4be07d3f5c1e000a', 'is a comment'],
    ['<hr>', 'is HTML'],
    ['<title>403 Forbidden</title>', 'is HTML'],
  ])('%j is called nowhere: it %s', (cell, problem) => {
    expect(readConversationId(cell)).toEqual({ id: cell, problem })
    expect(readEndUserId(cell)).toEqual({ id: cell, problem })
  })

  test.each(['66f2a91c4be07d3f5c1e0000', '669123000000000000e00023', 'nonesuch', 'total-4711', '12e5'])(
    '%j is not taken for it',
    (cell) => expect(readConversationId(cell)).toEqual({ id: cell, problem: null }),
  )
})
