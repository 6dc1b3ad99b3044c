/** One thing to be done: an ID, the record it came with, and where it stood. */
export interface Item {
  /** Position in the whole input, from 0, over all its files. */
  ordinal: number
  id: string
  /** What the books call it instead of its ID, of a run that keeps none. */
  pseudonym?: string
  /** The input file, as the person named it, and the line in it, from 1. */
  source: string
  line: number
  /** The fields it came with, by name. */
  record(): Readonly<Record<string, unknown>>
}

/** What checkpoint, report and log call an item. */
export function nameOf({ id, pseudonym }: Pick<Item, 'id' | 'pseudonym'>): string {
  return pseudonym ?? id
}
