export const quote = 0x22
export const comma = 0x2c
export const colon = 0x3a
export const backslash = 0x5c
export const square = 0x5b
export const squareEnd = 0x5d
export const curly = 0x7b
export const curlyEnd = 0x7d

/** What JSON takes for white space. */
export function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}
