import { UsageError } from '../system/errors.js'
import { cleanMessage } from '../system/text.js'
import { headBytesMax } from './bytes.js'
import { csvRecords } from './csv-records.js'
import { idColumnsAmong, isIdColumn, isLikeAnId } from './id-columns.js'
import { conversationIdNames, readConversationId, withoutEdges } from './identifier.js'
import type { SourceOptions } from './source.js'

type IdColumns = Pick<SourceOptions, 'idColumn' | 'idColumns' | 'keepsFillers'>

/** Where the IDs are, and whether they begin in the first row. */
interface IdPlace {
  /** Rows above the header, or above the first ID: a title, or Excel's `sep=;`. */
  skipped: number
  /** From 0. */
  idIndex: number
  hasHeader: boolean
}

/** How to read a CSV, as its first rows tell. */
export interface CsvLayout extends IdPlace {
  delimiter: string
  /** Cells that a row has, and the fewest it may have: a header may have empty cells at its end. */
  width: number
  widthMin: number
  /** The cells of the header; null without one. */
  header: readonly string[] | null
  /** What the ID's column may be called. */
  idNames: readonly string[]
  /** A name for each column, no two the same. */
  names: readonly string[]
}

const delimiters = [',', ';', '\t', '|']

export async function layoutOf(head: Buffer, name: string, columns: IdColumns): Promise<CsvLayout> {
  refuseWorkbook(head, name)
  refuseWebPage(head, name)
  const given = columns.keepsFillers
    ? undefined
    : /^sep=([^\w\s"]|\t)\s*[\r\n]/i.exec(head.toString('latin1', 0, 16))?.[1]
  const candidates =
    given === undefined
      ? delimiters.filter((delimiter) => delimiter === ',' || head.includes(delimiter))
      : [given]
  const all = await Promise.all(
    candidates.map((delimiter) => rowsOf(head, delimiter, name, columns.keepsFillers)),
  )
  const skips = all.map((rows) => (columns.keepsFillers ? 0 : rowsAbove(rows, given !== undefined, columns)))
  const readings = all.map((rows, index) => rows.slice(skips[index]))
  const scores = readings.map((rows) => score(rows, columns))
  const best = scores.indexOf(Math.max(...scores))
  const delimiter = candidates[best]!
  const rows = readings[best]!
  const first = rows[0] ?? (await refuseEmpty(head, name))
  const place = { ...idPlaceOf(rows, name, columns), skipped: skips[best]! }
  const width = place.hasHeader ? first.length : commonest(rows.map((row) => row.length))
  const widthMin = place.hasHeader ? widthOf(first) : width
  const header = place.hasHeader ? first : null
  const { idColumns: idNames = conversationIdNames } = columns
  return { ...place, delimiter, width, widthMin, header, idNames, names: namesOf(header ?? [], width) }
}

/** Cells without the empty ones at the end. */
export function widthOf(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell !== '') + 1
}

/** The rows at the beginning of a file, cut before the one that is not all there. */
async function rowsOf(
  head: Buffer,
  delimiter: string,
  name: string,
  keepsFillers = false,
): Promise<string[][]> {
  const lineEnd = Math.max(head.lastIndexOf('\n'), head.lastIndexOf('\r'))
  const rows: string[][] = []
  try {
    const piece = head.length < headBytesMax ? head : head.subarray(0, lineEnd + 1)
    for await (const batch of csvRecords([piece], delimiter, name))
      rows.push(...batch.map(({ cells }) => cells.map(withoutEdges)))
  } catch (error) {
    // Reading all of the file meets the fault again.
    if (!(error instanceof UsageError)) throw error
  }
  return rows.filter((row) =>
    keepsFillers ? row.length > 1 || row[0] !== '' : row.some((cell) => cell !== ''),
  )
}

/** A title has a few lines. */
const titleRowsMax = 20

/** The rows above the header: none of them may be one of IDs, or it would be forgotten. */
function rowsAbove(rows: readonly string[][], hasSeparatorRow: boolean, columns: IdColumns): number {
  const least = hasSeparatorRow ? 1 : 0
  const header = rows.findIndex(
    (row, index) =>
      index >= least && row.some((cell) => isIdName(cell, columns) || isSame(cell, columns.idColumn ?? '\n')),
  )
  if (header === -1 || header > titleRowsMax) return least
  const width = widthOf(rows[header]!)
  const isTitle = (row: readonly string[]) => {
    const texts = row.filter((cell) => cell !== '')
    return width > 1 && texts.length === 1
      ? row[0] !== '' && !machineId.test(texts[0]!)
      : texts.every((text) => readConversationId(text).problem !== null || /\s/.test(text))
  }
  return rows.slice(least, header).every(isTitle) ? header : least
}

/** How likely it is that the delimiter is the one meant: it shows the ID column, or most rows are of one width. */
function score(rows: readonly string[][], columns: IdColumns): number {
  const width = rows[0]?.length ?? 0
  if (width < 2) return 0
  const named = rows[0]!.some((cell) => isIdName(cell, columns) || cell === columns.idColumn) ? 2 : 0
  const share = rows.filter((row) => row.length === width).length / rows.length
  return named === 0 && share < 0.5 ? 0 : named + share + Math.min(width, 100) / 10_000
}

function namesOf(header: readonly string[], width: number): string[] {
  const names: string[] = []
  const taken = new Set<string>()
  for (let index = 0; index < width; index++) {
    const base = header[index] || `column_${index + 1}`
    let name = base
    for (let times = 2; taken.has(name); times++) name = `${base}_${times}`
    taken.add(name)
    names.push(name)
  }
  return names
}

function commonest(values: readonly number[]): number {
  const counts = new Map<number, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}

function refuseWorkbook(head: Buffer, name: string): void {
  const isZip = head.toString('latin1', 0, 4) === 'PK\x03\x04'
  const isOldExcel = head.toString('hex', 0, 4) === 'd0cf11e0'
  if (isZip || isOldExcel) {
    throw new UsageError(`${name} looks like an Excel workbook: save it as CSV (UTF-8) and give that file.`)
  }
}

function refuseWebPage(head: Buffer, name: string): void {
  const text = head.toString('utf8', 0, 4096)
  if (!/^\s*<(?:!doctype|html|head|body|\?xml)\b/i.test(text)) return
  const title = cleanMessage(/<title>(.*?)<\/title>/is.exec(text)?.[1] ?? '', 80).trim()
  throw new UsageError(
    `${name} is a web page${title === '' ? '' : ` (“${title}”)`}, not a list: the download failed or asked for a login. Download it again.`,
  )
}

async function refuseEmpty(head: Buffer, name: string): Promise<never> {
  if (head.length >= headBytesMax) {
    throw new UsageError(`${name} has no whole row in its first 64 KiB: is it a CSV with one ID per row?`)
  }
  // A fault in the first row is worth more words.
  for await (const _ of csvRecords([head], ',', name));
  throw new UsageError(`${name} is empty: there are no IDs in it.`)
}

/** What the only column, or the one given by number, may be called too. Among several this would be a guess. */
const headings = /^(conversations?|(conversation[ _-]?)?u?u?ids?)$/i
const machineId = /^([\da-f]{24}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/i

function isIdName(cell: string, { idColumns, keepsFillers }: IdColumns): boolean {
  if (keepsFillers) return (idColumns ?? conversationIdNames).some((name) => isSame(name, cell))
  return isIdColumn(cell, idColumns)
}

function idPlaceOf(rows: readonly string[][], name: string, columns: IdColumns): Omit<IdPlace, 'skipped'> {
  const { idColumn, idColumns, keepsFillers } = columns
  const first = rows[0]!
  if (idColumn != null) return placeGiven(rows, name, idColumn.trim(), columns)
  for (const idName of keepsFillers ? (idColumns ?? conversationIdNames) : []) {
    const index = indexOf(first, idName, name)
    if (index !== undefined) return { idIndex: index, hasHeader: true }
  }
  if (!keepsFillers) {
    const holdsIds = (index: number) => rows.slice(1).every((row) => !row[index] || isLikeAnId(row[index]))
    const [index, ...others] = idColumnsAmong(first, idColumns, holdsIds)
    if (index !== undefined) {
      // Throws where others have the very same name.
      if (others.length > 0) indexOf(first, first[index]!, name)
      return { idIndex: index, hasHeader: true }
    }
  }
  const isOnlyColumn = rows.every((row) => row.slice(1).every((cell) => cell === ''))
  if (isOnlyColumn) return { idIndex: 0, hasHeader: isHeading(rows, 0) }
  throw new UsageError(
    `${name} has no column that is known to hold IDs. Say which it is with --id-column, by name or by number from 1: ${listOf(first)}.`,
  )
}

function placeGiven(
  rows: readonly string[][],
  name: string,
  idColumn: string,
  columns: IdColumns,
): Omit<IdPlace, 'skipped'> {
  const first = rows[0]!
  const index = indexOf(first, idColumn, name)
  if (index !== undefined) return { idIndex: index, hasHeader: true }
  if (!/^\d+$/.test(idColumn)) {
    throw new UsageError(`${name} has no column "${idColumn}" (--id-column). It has ${listOf(first)}.`)
  }
  const number = Number(idColumn)
  if (number < 1 || number > first.length) {
    throw new UsageError(
      `${name} has no column ${idColumn} (--id-column): its first row has ${first.length}, counted from 1: ${listOf(first)}.`,
    )
  }
  return {
    idIndex: number - 1,
    hasHeader: first.some((cell) => isIdName(cell, columns)) || isHeading(rows, number - 1),
  }
}

/**
 * Whether the first row is a header though no name in it is known. In doubt it is an ID: a header taken for an ID
 * costs one call that finds nothing, an ID taken for a header would be forgotten.
 */
function isHeading(rows: readonly string[][], index: number): boolean {
  const cell = rows[0]![index]!
  if (headings.test(cell)) return true
  const below = rows.slice(1).map((row) => row[index] ?? '')
  const isMostlyMachineIds = below.filter((id) => machineId.test(id)).length > below.length / 2
  return cell !== '' && !/\d/.test(cell) && isMostlyMachineIds
}

function indexOf(header: readonly string[], wanted: string, name: string): number | undefined {
  const exact = header.flatMap((cell, index) => (cell === wanted ? [index] : []))
  const found =
    exact.length > 0 ? exact : header.flatMap((cell, index) => (isSame(cell, wanted) ? [index] : []))
  if (found.length > 1) {
    const numbers = found.map((index) => index + 1).join(' and ')
    throw new UsageError(
      `${name} has the column "${wanted}" more than once (${numbers}). Give its number with --id-column.`,
    )
  }
  return found[0]
}

export function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase()
}

function listOf(columns: readonly string[]): string {
  const shown = columns.slice(0, 12).map((column) => `"${column.slice(0, 40)}"`)
  const more = columns.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
