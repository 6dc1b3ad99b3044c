import { UsageError } from '../system/errors.js'
import { cleanMessage } from '../system/text.js'
import { isIdColumn, kindOfColumn } from './id-columns.js'
import {
  conversationIdNames,
  idKey,
  type ReadId,
  readConversationId,
  readEndUserId,
  textOf,
} from './identifier.js'
import { openInput } from './input.js'
import type { IdRules } from './items.js'
import type { InputFile, SourceRow } from './source.js'

/** How hold lists are read. */
export interface HoldSettings {
  /** The only column that counts, by name or number; null for all that are known. */
  holdColumn: string | null
  /** Leaves out rows that hold no ID, instead of refusing the list. */
  acceptsOddHold: boolean
}

/** A row of a hold list, with the keys of all IDs in it. */
export interface HeldRow {
  /** Which of the files it is in. */
  file: number
  line: number
  keys: readonly string[]
}

const endUserNames = ['end_user_id', 'chatter_id', 'external_id', 'email', 'identifier']

/**
 * Reads hold lists: every column of conversations' and end users' IDs counts. A row that cannot be an ID would protect
 * nothing, so it throws a UsageError.
 */
export async function* readHoldLists(
  files: readonly InputFile[],
  { holdColumn, acceptsOddHold }: HoldSettings,
  { columns = [], isFree = false }: IdRules,
  onBytes: (file: number, chunk: Uint8Array) => void = () => {},
): AsyncGenerator<HeldRow> {
  const [conversationId, ...others] = conversationIdNames
  const idColumns = [...columns, conversationId!, ...others.slice(0, 2), ...endUserNames, ...others.slice(2)]
  const settings = { format: 'auto', idColumn: holdColumn, acceptTruncated: false }
  const { files: opened } = await openInput(files, settings)
  for (const [file, { source, head, name, path }] of opened.entries()) {
    const read = source.rows(
      { name, path },
      { idColumn: holdColumn, idColumns, head, onBytes: (chunk) => onBytes(file, chunk) },
    )
    for await (const batch of read) {
      for (const row of batch) {
        const keys = keysOf(row, holdColumn !== null, isFree, columns)
        if (typeof keys !== 'string') yield { file, line: row.line, keys }
        else if (!acceptsOddHold) {
          throw new UsageError(
            `--hold ${name}, line ${row.line}: ${keys}. Mend the hold list first: a row that cannot be read protects nobody. (--accept-odd-hold leaves such rows out.)`,
          )
        }
      }
    }
  }
}

/** The keys of a row, or what is wrong with it. */
function keysOf(
  row: SourceRow,
  isGiven: boolean,
  isFree: boolean,
  columns: readonly string[],
): string[] | string {
  if (row.problem !== undefined) return cleanMessage(row.problem)
  const readAny = isFree ? readEndUserId : readConversationId
  const cells = isGiven ? [] : knownCells(row.record(), columns)
  const reads: [string, ReadId][] =
    cells.length === 0
      ? [[row.id, readAny(row.id)]]
      : cells.map(({ kind, text }) => {
          if (kind === 'conversation') return [text, readConversationId(text)]
          return [text, kind === 'endUser' ? readEndUserId(text) : readAny(text)]
        })
  const keys: string[] = []
  let fault = 'empty_id'
  for (const [text, { id, problem }] of reads) {
    if (id === '') continue
    if (problem === null) keys.push(idKey(id))
    else fault = `${JSON.stringify(cleanMessage(text, 60))} is not an ID: ${problem}`
    if (problem !== null && problem !== 'stands for no value') return fault
  }
  return keys.length === 0 ? fault : keys
}

/** Row numbers in a column `id` beside the IDs. */
const rowNumber = /^\d{1,15}$/

function knownCells(
  record: Readonly<Record<string, unknown>>,
  columns: readonly string[],
): { kind: 'conversation' | 'endUser' | 'any'; text: string }[] {
  const known = Object.entries(record).flatMap(([name, value]) => {
    const kind = isIdColumn(name, columns) ? 'any' : kindOfColumn(name)
    return kind === null ? [] : [{ kind, text: textOf(value), isGeneric: kindOfColumn(name) === 'any' }]
  })
  const hasConversation = known.some(({ kind }) => kind === 'conversation')
  const hasOthers = known.some(({ isGeneric }) => !isGeneric)
  return known.filter(
    ({ isGeneric, text }) => !isGeneric || !(hasConversation || (hasOthers && rowNumber.test(text.trim()))),
  )
}
