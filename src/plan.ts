import type { Filter } from './filters/filter.js'
import { Fingerprinting, type InputSettings, openInput } from './input.js'
import { readItems } from './items.js'
import type { Fingerprinted } from './run-file.js'
import type { InputFile } from './sources/source.js'
import { Tally } from './tally.js'

/** What counting an input found. */
export interface Count {
  read: number
  /** Items that need a call. */
  calls: number
  tally: Tally
  /** The first items that need a call. */
  first: { id: string; source: string; line: number }[]
  input: Fingerprinted[]
}

const firstShown = 5

/**
 * Reads and filters a whole input and calls nothing. `onId` is told every ID that can be used, once. Throws a UsageError
 * when a file cannot be used.
 */
export async function countInput(
  files: readonly InputFile[],
  settings: InputSettings,
  filters: readonly Filter[],
  onId: (id: string) => void = () => {},
): Promise<Count> {
  const fingerprinting = new Fingerprinting(files)
  const tally = new Tally()
  const first: Count['first'] = []
  let read = 0
  for await (const batch of readItems(await openInput(files, settings, filters), fingerprinting.tap)) {
    read += batch.length
    for (const { item, outcome } of batch) {
      if (outcome?.status !== 'invalid' && outcome?.status !== 'duplicate') onId(item.id)
      if (outcome) tally.add(outcome.status, outcome.reason)
      else if (first.length < firstShown) first.push({ id: item.id, source: item.source, line: item.line })
    }
  }
  return { read, calls: read - tally.settled, tally, first, input: fingerprinting.done() }
}
