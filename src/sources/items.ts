import type { Item, Outcome } from '../item.js'
import type { Filter } from '../job.js'
import { cleanMessage } from '../system/text.js'
import { IdSet } from './id-set.js'
import type { InputFile, Source, SourceRow } from './source.js'

/** How the IDs of a run are found, what they may be, and what the books call them. */
export interface IdRules {
  columns?: readonly string[]
  /** They stand in no URL's path, so that they may hold what must not stand there. */
  isFree?: boolean
  pseudonymOf?: (id: string) => string
}

/** The input as a run reads it: its files in order, each with the source that reads it. */
export interface Input {
  ids?: IdRules
  files: readonly (InputFile & { source: Source })[]
  idColumn?: string
  /** Of a file that ends too early, take what is whole. */
  acceptTruncated?: boolean
  filters: readonly Filter[]
  /** Counted before, and the files have not changed since: no ID has to be remembered. */
  isFreeOfDuplicates?: boolean
  /** Items that have their outcome: they are left out, where no ID has to be remembered. */
  isSettled?: (ordinal: number) => boolean
}

/** An item, with its outcome if it needs no call. */
export interface JudgedItem {
  item: Item
  outcome: Outcome | null
}

/** Ada's IDs are 24 hex digits today, and its versioning rules allow other forms: insist on little. */
const longestId = 200
const commonId = /^[A-Za-z0-9_-]{1,200}$/
const unprintable = /[\p{C}\p{Zl}\p{Zp}\ufffd]|(?! )\p{Zs}/u

/**
 * Streams the items of an input in order, numbered over all files, and settles those that must not be called: IDs
 * that cannot be used, IDs that came before, and what a filter turns away. The same bytes give the same items.
 * `tap` sees the raw bytes of each file.
 */
export async function* readItems(
  input: Input,
  tap?: (file: number, chunk: Uint8Array) => void,
): AsyncGenerator<JudgedItem[]> {
  const { ids = {} } = input
  const { isFreeOfDuplicates = false, isSettled = () => false } = input
  const seen = isFreeOfDuplicates ? { add: () => true } : new IdSet()
  let ordinal = 0
  for (const [index, file] of input.files.entries()) {
    const options = {
      acceptTruncated: input.acceptTruncated ?? false,
      ...(ids.columns === undefined ? {} : { idColumns: ids.columns }),
      ...(input.idColumn === undefined ? {} : { idColumn: input.idColumn }),
      ...(tap === undefined ? {} : { tap: (chunk: Uint8Array) => tap(index, chunk) }),
    }
    for await (const rows of file.source.rows(file, options)) {
      const batch: JudgedItem[] = []
      for (const row of rows) {
        const place = ordinal++
        if (isFreeOfDuplicates && isSettled(place)) continue
        const item = new RowItem(place, row, file.name)
        const outcome = judge(item, row, seen, input.filters, ids)
        if (ids.pseudonymOf !== undefined && item.id !== '') item.pseudonym = ids.pseudonymOf(item.id)
        if (outcome?.status === 'invalid') item.id = cleanMessage(item.id, longestId)
        batch.push({ item, outcome })
      }
      yield batch
    }
  }
}

class RowItem implements Item {
  readonly ordinal: number
  id: string
  pseudonym?: string
  readonly source: string
  readonly line: number
  readonly #row: SourceRow

  constructor(ordinal: number, row: SourceRow, source: string) {
    this.ordinal = ordinal
    this.id = row.id
    this.source = source
    this.line = row.line
    this.#row = row
  }

  record(): Readonly<Record<string, unknown>> {
    return this.#row.record()
  }
}

function judge(
  item: Item,
  row: SourceRow,
  seen: Pick<IdSet, 'add'>,
  filters: readonly Filter[],
  ids: IdRules,
): Outcome | null {
  if (row.problem !== undefined) return notCalled('invalid', 'bad_row', cleanMessage(row.problem))
  if (!commonId.test(item.id)) {
    if (item.id === '') return notCalled('invalid', 'empty_id', '')
    const problem = ids.isFree ? problemOfFreeId(item.id) : problemOfId(item.id)
    if (problem !== null) return notCalled('invalid', 'bad_id', problem)
  }
  if (!seen.add(item.id)) return notCalled('duplicate', 'duplicate', '')
  for (const filter of filters) {
    const refusal = filter.judge(item)
    if (refusal !== null) return notCalled(refusal.status, refusal.reason, refusal.message)
  }
  return null
}

/** Why an ID must not go into a URL's path; null when it may. */
export function problemOfId(id: string): string | null {
  if (id.length > longestId) return `longer than ${longestId} characters`
  if (id.includes('/')) return 'contains a slash'
  if (id === '.' || id.includes('..')) return 'contains dots that climb in a path'
  return problemOfFreeId(id)
}

/** An e-mail address has 254 characters at most, and somebody's own ID may have more. */
const longestFreeId = 1000

function problemOfFreeId(id: string): string | null {
  if (id.length > longestFreeId) return `longer than ${longestFreeId} characters`
  return unprintable.test(id) ? 'contains a character that cannot be printed' : null
}

function notCalled(status: 'invalid' | 'duplicate' | 'filtered', reason: string, message: string): Outcome {
  return { status, reason, httpStatus: null, message }
}
