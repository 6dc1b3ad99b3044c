import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { extentOf } from '../../src/sources/json-extent.js'
import { faultIn } from '../../src/sources/json-fault.js'

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.stringify(value, null, 1))

/** JSON with a few characters changed: mostly wrong, sometimes still right. */
const nearlyJson = fc
  .tuple(
    json,
    fc.array(
      fc.tuple(
        fc.nat(),
        fc.constantFrom(
          '',
          '"',
          '\\',
          '{',
          '}',
          '[',
          ']',
          ',',
          ':',
          '0',
          '-',
          '.',
          'e',
          'u',
          'true',
          '\n',
          '\0',
          'é',
        ),
      ),
      { maxLength: 3 },
    ),
    fc.boolean(),
  )
  .map(([text, changes, replaces]) =>
    changes.reduce((changed, [place, character]) => {
      const at = place % (changed.length + 1)
      return changed.slice(0, at) + character + changed.slice(at + (replaces ? 1 : 0))
    }, text),
  )

function parses(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('the place of a fault', () => {
  test('is found where JSON.parse fails, and only there', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        expect(faultIn(text) === null).toBe(parses(text))
      }),
      { numRuns: 20_000 },
    )
  })

  test('is the end if the text is only cut off', () => {
    fc.assert(
      fc.property(json, fc.nat(), (text, place) => {
        const start = text.slice(0, place % text.length)
        if (!parses(start)) expect(faultIn(start)?.at).toBe(start.length)
      }),
      { numRuns: 5_000 },
    )
  })

  test('has only what can begin JSON before it', () => {
    fc.assert(
      fc.property(nearlyJson, (text) => {
        const fault = faultIn(text)
        if (fault) expect(faultIn(text.slice(0, fault.at))?.at ?? fault.at).toBe(fault.at)
      }),
      { numRuns: 5_000 },
    )
  })

  test.each([
    ['{"a":1,}', 7, 'a name'],
    ['{"a" 1}', 5, ':'],
    ['{"a":1 "b":2}', 7, ', or }'],
    ['[1 2]', 3, ', or ]'],
    ['[tru]', 1, 'a value or ]'],
    ['["a\nb"]', 3, 'a character that a text may hold'],
    ['["\\x"]', 2, 'a character that a text may hold'],
    ['[01]', 1, 'a value or ]'],
    ['{} {}', 3, 'the end'],
    ['{"a":[{"b":"c', 13, ':'],
  ])('%j stops being JSON at %i', (text, at, expected) => {
    expect(faultIn(text)).toMatchObject(at === text.length ? { at } : { at, expected })
  })
})

test('an object or array ends where JSON.parse needs it to', () => {
  const value = fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))
  fc.assert(
    fc.property(value, fc.constantFrom('', '  '), fc.string(), (inside, indent, behind) => {
      const bytes = Buffer.from(JSON.stringify(inside, null, indent))
      const all = Buffer.concat([Buffer.from(' '), bytes, Buffer.from(behind)])
      expect(extentOf(all, 1, all.length, 'record')).toMatchObject({ stop: 'end', at: 1 + bytes.length })
      expect(extentOf(all, 1, bytes.length, 'record').stop).toBe('more')
    }),
    { numRuns: 2_000 },
  )
})
