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
