/** One thing to be done: an ID, the record it came with, and where it stood. */
export interface Item {
  /** Position in the whole input, from 0, over all its files. */
  ordinal: number
  id: string
  /** The input file, as the person named it, and the line in it, from 1. */
  source: string
  line: number
  /** The fields it came with, by name. */
  record(): Readonly<Record<string, unknown>>
}
