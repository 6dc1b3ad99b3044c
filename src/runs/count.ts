import { Tally } from '../checkpoint/summary.js'
import { nameOf } from '../item.js'
import type { Filter } from '../job.js'
import { type Fingerprinted, Fingerprinting } from '../sources/fingerprint.js'
import { idKey } from '../sources/identifier.js'
import { type Input, readItems } from '../sources/items.js'

/** What the input holds. */
export interface Count {
  read: number
  /** Items that need a call. */
  calls: number
  tally: Tally
  /** The first items that need a call. */
  first: { id: string; source: string; line: number }[]
  /** By reason, the first item that cannot be used. */
  problems: Record<string, Problem>
  /** Header rows that come again, as in files that were joined. */
  repeatedHeaders: number
  input: Fingerprinted[]
}

export interface Problem {
  message: string
  source: string
  line: number
}

const firstShown = 5

/**
 * Reads and filters a whole input and calls nothing. `onId` is told every ID that can be used, once. Throws a UsageError
 * when a file cannot be used.
 */
export async function countInput(
  input: Input,
  filters: readonly Filter[],
  onId: (id: string) => void = () => {},
): Promise<Count> {
  const fingerprinting = new Fingerprinting(input.files)
  const tally = new Tally()
  const first: Count['first'] = []
  const problems = new Map<string, Problem>()
  let read = 0
  let repeatedHeaders = 0
  const onRepeatedHeader = () => {
    repeatedHeaders += 1
  }
  for await (const batch of readItems(input, {
    filters,
    onBytes: fingerprinting.onBytes,
    onRepeatedHeader,
  })) {
    read += batch.length
    for (const { item, outcome } of batch) {
      if (outcome?.status !== 'invalid' && outcome?.status !== 'duplicate') onId(idKey(nameOf(item)))
      const { source, line } = item
      if (outcome) tally.add(outcome.status, outcome.reason)
      else if (first.length < firstShown) first.push({ id: nameOf(item), source, line })
      if (outcome?.status === 'invalid' && !problems.has(outcome.reason))
        problems.set(outcome.reason, { message: outcome.message, source, line })
    }
  }
  return {
    read,
    calls: read - tally.settled,
    tally,
    first,
    problems: Object.fromEntries(problems),
    repeatedHeaders,
    input: fingerprinting.done(),
  }
}
