import { UsageError } from '../system/errors.js'
import { headBytesMax } from './bytes.js'
import { type IdColumns, type IdPlace, idPlaceOf, isIdName } from './csv-id-column.js'
import { csvRecords } from './csv-records.js'
import { withoutEdges } from './identifier.js'

/** How to read a CSV, as its first rows tell. */
export interface CsvLayout extends IdPlace {
  delimiter: string
  /** Cells that a row has, and the fewest it may have: a header may have empty cells at its end. */
  width: number
  widthMin: number
  /** A name for each column, no two the same. */
  names: readonly string[]
}

const delimiters = [',', ';', '\t', '|']

export async function layoutOf(head: Buffer, name: string, columns: IdColumns): Promise<CsvLayout> {
  refuseWorkbook(head, name)
  const candidates = delimiters.filter((delimiter) => delimiter === ',' || head.includes(delimiter))
  const readings = await Promise.all(candidates.map((delimiter) => readingOf(head, delimiter, name)))
  const scores = readings.map(({ rows }) => score(rows, columns))
  const { delimiter, rows } = readings[scores.indexOf(Math.max(...scores))]!
  const first = rows[0] ?? (await refuseEmpty(head, name))
  const place = idPlaceOf(rows, name, columns)
  const width = place.hasHeader ? first.length : commonest(rows.map((row) => row.length))
  const widthMin = place.hasHeader ? widthOf(first) : width
  return { ...place, delimiter, width, widthMin, names: namesOf(place.hasHeader ? first : [], width) }
}

/** Cells without the empty ones at the end. */
export function widthOf(cells: readonly string[]): number {
  return cells.findLastIndex((cell) => cell !== '') + 1
}

interface Reading {
  delimiter: string
  rows: string[][]
}

async function readingOf(head: Buffer, delimiter: string, name: string): Promise<Reading> {
  const isCut = head.length >= headBytesMax
  // csv-parse holds back what it cannot look ahead from.
  const piece = isCut ? head : Buffer.concat([head, Buffer.from('\n'.repeat(8))])
  for await (const batch of csvRecords([piece], delimiter, name)) {
    const rows = batch.map(({ cells }) => cells.map(withoutEdges))
    return { delimiter, rows: rows.filter((row) => row.length > 1 || row[0] !== '') }
  }
  return { delimiter, rows: [] }
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

async function refuseEmpty(head: Buffer, name: string): Promise<never> {
  if (head.length >= headBytesMax) {
    throw new UsageError(`${name} has no whole row in its first 64 KiB: is it a CSV with one ID per row?`)
  }
  // A fault in the first row is worth more words.
  for await (const _ of csvRecords([head], ',', name));
  throw new UsageError(`${name} is empty: there are no IDs in it.`)
}
