import { UsageError } from '../system/errors.js'

/** A place in a file: line from 1, position from 0 in bytes of its text as UTF-8. */
export interface Place {
  line: number
  position: number
}

export function placeText({ line, position }: Place): string {
  return `line ${line}, byte ${position + 1}`
}

/** The place that many bytes into the bytes that begin at `start`. */
function placeIn(bytes: Uint8Array, offset: number, start: Place): Place {
  const linesPassed = bytes.subarray(0, offset).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)
  return { line: start.line + linesPassed, position: start.position + offset }
}

/** Says what breaks the JSON `offset` bytes into some bytes that begin at `start`. */
export function broken(
  bytes: Buffer,
  offset: number,
  start: Place,
  name: string,
  expected: string,
): UsageError {
  const found = characterAt(bytes, offset)
  return new UsageError(
    `${name}, ${placeText(placeIn(bytes, offset, start))}: expected ${expected} here, found ${JSON.stringify(found)}. What follows cannot be told apart: mend the file or export it again.`,
  )
}

/** What is wrong with a record that is not JSON. Throws a UsageError if it may hold other records. */
export function damageOf(text: string, start: Place, name: string, mayHoldOthers: boolean): string {
  const bytes = Buffer.from(text)
  const fault = faultIn(bytes.toString('latin1'))
  if (fault === null) throw new Error('JSON.parse found a fault, and we found none.')
  const { at, expected } = fault
  if (mayHoldOthers) throw broken(bytes, at, start, name, expected)
  if (at === bytes.length) return 'is damaged: it ends too early'
  const found = JSON.stringify(characterAt(bytes, at))
  return `is damaged: expected ${expected} at ${placeText(placeIn(bytes, at, start))}, found ${found}`
}

function characterAt(bytes: Buffer, at: number): string {
  return [...bytes.toString('utf8', at, at + 4)][0] ?? ''
}

/** Where a text stops being JSON. */
export interface Fault {
  /** The length of the text if all of it is good and it only ends too early. */
  at: number
  expected: string
}

/**
 * Finds what JSON.parse complains about: its own messages mostly do not say where. `null` for valid JSON. With one
 * character for each byte (latin1), `at` counts bytes.
 */
export function faultIn(text: string): Fault | null {
  const closers: ('}' | ']')[] = []
  let expected: Expected = 'a value'
  let at = afterSpace(text, 0)
  while (at < text.length) {
    const char = text[at]!
    const closer = closers.at(-1)
    let end = at + 1
    if (char === closer && endings.has(expected)) {
      closers.pop()
      expected = afterValue(closers)
    } else if (char === ',' && (expected === ', or }' || expected === ', or ]')) {
      expected = closer === '}' ? 'a name' : 'a value'
    } else if (char === ':' && expected === ':') {
      expected = 'a value'
    } else if (char === '"' && (names.has(expected) || values.has(expected))) {
      end = afterString(text, at)
      if (end < 0) return { at: -end, expected: 'a character that a text may hold' }
      expected = names.has(expected) ? ':' : afterValue(closers)
    } else if (!values.has(expected)) {
      return { at, expected }
    } else if (char === '{' || char === '[') {
      closers.push(char === '{' ? '}' : ']')
      expected = char === '{' ? 'a name or }' : 'a value or ]'
    } else {
      end = afterScalar(text, at)
      if (end < 0) return { at, expected }
      expected = afterValue(closers)
    }
    at = afterSpace(text, end)
  }
  return expected === 'the end' && at === text.length ? null : { at: text.length, expected }
}

type Expected = 'a value' | 'a value or ]' | 'a name' | 'a name or }' | ':' | ', or }' | ', or ]' | 'the end'

const endings: ReadonlySet<Expected> = new Set([', or }', ', or ]', 'a name or }', 'a value or ]'])
const names: ReadonlySet<Expected> = new Set(['a name', 'a name or }'])
const values: ReadonlySet<Expected> = new Set(['a value', 'a value or ]'])

function afterValue(closers: readonly ('}' | ']')[]): Expected {
  const closer = closers.at(-1)
  return closer === undefined ? 'the end' : `, or ${closer}`
}

/** Behind the closing quote; past the text if it ends first; the place of a fault as a negative number. */
function afterString(text: string, from: number): number {
  for (let at = from + 1; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return -at
    if (code === 0x5c) {
      const start = text.slice(at, at + 6)
      if (at + start.length === text.length && /^\\(?:u[\da-fA-F]{0,3})?$/.test(start)) break
      const [sound] = /^\\(?:["\\/bfnrt]|u[\da-fA-F]{4})/.exec(start) ?? []
      if (sound === undefined) return -at
      at += sound.length - 1
    }
  }
  return text.length + 1
}

/** Behind a number or a word; past the text if it ends first; negative if it is none. */
function afterScalar(text: string, from: number): number {
  scalar.lastIndex = from
  const [run] = scalar.exec(text)!
  const end = from + run.length
  if (isNumber(run) || words.includes(run)) return end
  const isCutOff = end === text.length && (isNumber(`${run}0`) || words.some((word) => word.startsWith(run)))
  return isCutOff ? end + 1 : -1
}

const scalar = /[^\s,:"{}[\]]*/y
const words = ['true', 'false', 'null']

function isNumber(run: string): boolean {
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(run)
}

function afterSpace(text: string, from: number): number {
  let at = from
  while (at < text.length && ' \t\r\n'.includes(text[at]!)) at++
  return at
}
