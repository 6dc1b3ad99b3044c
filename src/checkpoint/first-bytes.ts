/** What a line of a checkpoint tells by its first bytes, without being parsed. */

/** Begins the line of a settled item; its ordinal follows, then its outcome. */
export const settledStart = Buffer.from('{"n":')
const statusStart = Buffer.from(',"status":"')

export function startsWith(buffer: Buffer, start: number, prefix: Buffer): boolean {
  for (let index = 0; index < prefix.length; index++) {
    if (buffer[start + index] !== prefix[index]) return false
  }
  return true
}

/** The whole number that ends at a comma; infinite when there is none. */
export function numberAt(buffer: Buffer, start: number): number {
  let number = 0
  for (let index = start; ; index++) {
    const digit = buffer[index]! - 48
    if (digit >= 0 && digit <= 9) number = number * 10 + digit
    else return index > start && digit === comma ? number : Number.POSITIVE_INFINITY
  }
}

const comma = 44 - 48

/**
 * Reads the bytes between `"status":"`, behind the ordinal, and the quote that ends the reason, which need no
 * unescaping. Most lines have the outcome of the one before, and comparing is cheaper than making a text.
 */
export function outcomeReader(): (buffer: Buffer, start: number, end: number) => string {
  let known = Buffer.from('"')
  let outcome = ''
  return (buffer, start, end) => {
    let from = start + settledStart.length
    while (isDigit(buffer[from]!)) from++
    if (!startsWith(buffer, from, statusStart)) return ''
    from += statusStart.length
    if (startsWith(buffer, from, known)) return outcome
    let quotes = 0
    for (let index = from; index < end; index++) {
      if (buffer[index] !== 34 || ++quotes < 5) continue
      known = Buffer.from(buffer.subarray(from, index + 1))
      outcome = buffer.toString('latin1', from, index)
      return outcome
    }
    return ''
  }
}

function isDigit(byte: number): boolean {
  return byte >= 48 && byte <= 57
}
