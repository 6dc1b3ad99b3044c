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
export function placeIn(bytes: Uint8Array, offset: number, start: Place): Place {
  const linesPassed = bytes.subarray(0, offset).reduce((count, byte) => count + (byte === 0x0a ? 1 : 0), 0)
  return { line: start.line + linesPassed, position: start.position + offset }
}

export function broken(name: string, place: Place, expected: string, found: string): UsageError {
  return new UsageError(
    `${name}, ${placeText(place)}: expected ${expected} here, found ${JSON.stringify(found)}. What follows cannot be told apart: mend the file or export it again.`,
  )
}

export function tooLong(name: string, place: Place): UsageError {
  return new UsageError(
    `${name}, ${placeText(place)}: the record that begins here is longer than 16 MiB. Is this a data export?`,
  )
}

export function truncated(name: string, end: Place, records: number): UsageError {
  return new UsageError(
    `${name} is cut off at ${placeText(end)}, with ${records} whole ${records === 1 ? 'record' : 'records'} before that. Get a whole copy, or take those records with --accept-truncated.`,
  )
}
