import type { Writable } from 'node:stream'
import type { SettledItem } from '../outcome.js'

/** The promise of a report format: writes the settled items, in the order of the input, to a stream. */
export interface Report {
  /** What `report --format` calls it. */
  readonly format: string
  readonly fileName: string
  write(items: AsyncIterable<readonly SettledItem[]>, out: Writable): Promise<void>
}
