import type { Item, Outcome, Refusal } from '../item.js'
import { cleanMessage } from '../system/text.js'
import { IdSet } from './id-set.js'
import { idKey, readAsBefore, readConversationId, readEndUserId } from './identifier.js'
import type { InputFile, Source, SourceRow } from './source.js'

/** How the IDs of a run are found, what they may be, and what its record calls them. */
export interface IdRules {
  columns?: readonly string[]
  /** They name end users: they are sent in a body and may hold what a path must not. */
  isFree?: boolean
  /** The column that says which kind of identifier a row has: one value of two kinds names two end users. */
  typeColumn?: string
  /** Of a run of version 0.1, which is read as that version has read it. */
  isAsBefore?: boolean
  pseudonymOf?: (id: string) => string
}

/** The input of a run: its files in order, each with the source that reads it, and the bytes by which it was chosen. */
export interface Input {
  files: readonly (InputFile & { source: Source; head?: Buffer | undefined })[]
  idColumn: string | null
  /** Accept the complete records of a truncated file. */
  acceptTruncated: boolean
  ids: IdRules
}

export interface ReadOptions {
  /** The first that turns an item away gives its outcome. */
  filters?: readonly { judge(item: Item): Refusal | null }[]
  /** Counted before, and the files have not changed since: no ID has to be remembered. */
  isFreeOfDuplicates?: boolean
  /** Items that have their outcome: they are left out, where no ID has to be remembered. */
  isSettled?: (ordinal: number) => boolean
  /** Called for each header row that comes again, and is left out. */
  onRepeatedHeader?: () => void
  /** Sees the bytes of each file as they lie on disk, for fingerprints. */
  onBytes?: (file: number, chunk: Uint8Array) => void
}

/** An item of the input, with its outcome if it needs no call. */
export interface InputItem {
  item: Item
  outcome: Outcome | null
}

const invalidIdMax = 200

/**
 * Streams the items of an input in order, numbered over all files, and settles those that must not be called: IDs
 * that cannot be used, IDs that came before, and items that a filter turns away. The same bytes give the same items.
 */
export async function* readItems(input: Input, options: ReadOptions = {}): AsyncGenerator<InputItem[]> {
  const { idColumn, acceptTruncated, ids } = input
  const {
    filters = [],
    isFreeOfDuplicates = false,
    isSettled = () => false,
    onBytes,
    onRepeatedHeader,
  } = options
  const seen = isFreeOfDuplicates ? { add: () => true } : new IdSet()
  const { isFree = false, isAsBefore = false, typeColumn } = ids
  const readNow = isFree ? readEndUserId : readConversationId
  const readId = isAsBefore ? (cell: string) => readAsBefore(cell, isFree) : readNow
  const keyOf = isAsBefore ? (id: string) => id : idKey
  const keyOfItem = (item: Item): string => {
    if (typeColumn === undefined || isAsBefore) return keyOf(item.id)
    const { [typeColumn]: type, variable } = item.record()
    const kind = String(type).trim().toLowerCase()
    return JSON.stringify([kind, keyOf(item.id), kind === 'variable_match' ? variable : null])
  }
  let ordinal = 0

  const judge = (item: Item, row: SourceRow, problem: string | null): Outcome | null => {
    if (row.problem !== undefined) return notCalled('invalid', 'bad_row', cleanMessage(row.problem))
    if (item.id === '') return notCalled('invalid', 'empty_id', '')
    if (problem !== null) return notCalled('invalid', 'bad_id', problem)
    if (!seen.add(keyOfItem(item))) return notCalled('duplicate', 'duplicate', '')
    for (const filter of filters) {
      const refusal = filter.judge(item)
      if (refusal !== null) return notCalled(refusal.status, refusal.reason, refusal.message)
    }
    return null
  }

  for (const [index, file] of input.files.entries()) {
    const rows = file.source.rows(file, {
      idColumn,
      idColumns: ids.columns,
      acceptTruncated,
      head: file.head,
      keepsFillers: isAsBefore,
      onRepeatedHeader,
      onBytes: onBytes && ((chunk) => onBytes(index, chunk)),
    })
    for await (const batch of rows) {
      const items: InputItem[] = []
      for (const row of batch) {
        const place = ordinal++
        if (isFreeOfDuplicates && isSettled(place)) continue
        const { id, problem } = readId(row.id)
        const item = new RowItem(place, id, row, file.name)
        const outcome = judge(item, row, problem)
        if (ids.pseudonymOf !== undefined && id !== '') item.pseudonym = ids.pseudonymOf(keyOf(id))
        if (outcome?.status === 'invalid') item.id = cleanMessage(id, invalidIdMax)
        items.push({ item, outcome })
      }
      yield items
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

  constructor(ordinal: number, id: string, row: SourceRow, source: string) {
    this.ordinal = ordinal
    this.id = id
    this.source = source
    this.line = row.line
    this.#row = row
  }

  record(): Readonly<Record<string, unknown>> {
    return this.#row.record()
  }
}

function notCalled(status: 'invalid' | 'duplicate' | 'filtered', reason: string, message: string): Outcome {
  return { status, reason, httpStatus: null, message }
}
