const quote = 0x22
export const comma = 0x2c
export const colon = 0x3a
const backslash = 0x5c
export const square = 0x5b
export const squareEnd = 0x5d
export const curly = 0x7b
export const curlyEnd = 0x7d

/** What JSON takes for white space. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** How deep the brackets of a record may be nested. Ada's go four deep. */
export const levelsMax = 1_000

/** How far a JSON object or array goes, and why the look at it stopped there. */
export interface Extent {
  stop: /** It ends before `at`. */
    | 'end'
    /** The bytes end first. */
    | 'more'
    /** It is a page, and its array of records was opened just before `at`. */
    | 'page'
    /** There is a closing bracket of the other kind at `at`. */
    | 'mismatch'
  at: number
  levels: number
}

export type Kind =
  | 'record'
  | 'record or page'
  /** A page, from where its array of records is closed. */
  | 'rest of page'

/**
 * Finds the end of the value that begins at `from`, in the bytes before `to`. It looks at brackets and quotes alone,
 * which is what makes it fast: whether the value is valid is for JSON.parse to say.
 *
 * A page is an object with an array under `data` or `items`, unless an ID comes before it: exports write the ID of
 * a record first, and a page has none.
 */
export function extentOf(bytes: Buffer, from: number, to: number, kind: Kind): Extent {
  let mayBePage = kind !== 'record'
  let depth = kind === 'rest of page' ? 1 : 0
  let levels = depth
  let at = from + depth
  opened[0] = curly
  while (at < to) {
    const byte = bytes[at]!
    if (isPlain[byte]) {
      at++
    } else if (byte === quote) {
      const start = at + 1
      at = afterString(bytes, start, to)
      if (depth !== 1 || !mayBePage || at > to) continue
      const name = nameOf(bytes, start, at - 1)
      if (name === undefined) continue
      const value = valueAfterColon(bytes, at, to)
      if (value === undefined) continue
      if (name === 'records' && bytes[value] === square) return { stop: 'page', at: value + 1, levels }
      mayBePage = name === 'records' || kind === 'rest of page'
    } else if (byte === curly || byte === square) {
      if (depth < levelsMax) opened[depth] = byte
      depth++
      if (depth > levels) levels = depth
      at++
    } else {
      depth--
      // In ASCII a closing bracket comes two after the one that opens.
      if (depth < levelsMax && opened[depth] !== byte - 2) return { stop: 'mismatch', at, levels }
      at++
      if (depth === 0) return { stop: 'end', at, levels }
    }
  }
  return { stop: 'more', at: to, levels }
}

/** Finds the end of a text, a number or a word; undefined if the bytes end first. */
export function afterScalar(bytes: Uint8Array, from: number): number | undefined {
  const to = bytes.length
  let at = from + 1
  if (bytes[from] === quote) at = afterString(bytes, at, to)
  else while (at < to && !endsScalar[bytes[at]!]) at++
  return at < to ? at : undefined
}

const isPlain = new Uint8Array(256).fill(1)
for (const byte of Buffer.from('"{}[]')) isPlain[byte] = 0

const endsScalar = new Uint8Array(256)
for (const byte of Buffer.from(' \t\r\n,:"{}[]')) endsScalar[byte] = 1

const opened = new Uint8Array(levelsMax)

/** Behind the closing quote; more than `to` if there is none before that. */
function afterString(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to) {
    const byte = bytes[at++]!
    if (byte === quote) return at
    if (byte === backslash) at++
  }
  return to + 1
}

const names = new Map<string, 'records' | 'id'>([
  ['data', 'records'],
  ['items', 'records'],
  ['conversation_id', 'id'],
  ['_id', 'id'],
  ['id', 'id'],
])
const nameLengths = new Set([...names.keys()].map((name) => name.length))

function nameOf(bytes: Buffer, from: number, to: number): 'records' | 'id' | undefined {
  return nameLengths.has(to - from) ? names.get(bytes.toString('latin1', from, to)) : undefined
}

/** Where the value of a name begins, as far as the bytes go; undefined if no colon makes it a name. */
function valueAfterColon(bytes: Uint8Array, from: number, to: number): number | undefined {
  const at = afterSpace(bytes, from, to)
  if (at === to) return to
  return bytes[at] === colon ? afterSpace(bytes, at + 1, to) : undefined
}

function afterSpace(bytes: Uint8Array, from: number, to: number): number {
  let at = from
  while (at < to && isSpace(bytes[at]!)) at++
  return at
}
