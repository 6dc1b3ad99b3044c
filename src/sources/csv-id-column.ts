import { UsageError } from '../system/errors.js'
import { conversationIdNames } from './identifier.js'
import type { SourceOptions } from './source.js'

export type IdColumns = Pick<SourceOptions, 'idColumn' | 'idColumns'>

/** Where the IDs are, and whether they begin in the first row. */
export interface IdPlace {
  /** From 0. */
  idIndex: number
  hasHeader: boolean
}

/** What the only column, or the one given by number, may be called too. Among several this would be a guess. */
const headings = /^(conversations?|(conversation[ _-]?)?u?u?ids?)$/i
const machineId = /^([\da-f]{24}|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/i

export function isIdName(cell: string, { idColumns = conversationIdNames }: IdColumns): boolean {
  return idColumns.some((name) => isSame(name, cell))
}

export function idPlaceOf(rows: readonly string[][], name: string, columns: IdColumns): IdPlace {
  const { idColumn, idColumns = conversationIdNames } = columns
  const first = rows[0]!
  if (idColumn != null) return placeGiven(rows, name, idColumn.trim(), columns)
  for (const idName of idColumns) {
    const index = indexOf(first, idName, name)
    if (index !== undefined) return { idIndex: index, hasHeader: true }
  }
  const isOnlyColumn = rows.every((row) => row.slice(1).every((cell) => cell === ''))
  if (isOnlyColumn) return { idIndex: 0, hasHeader: isHeading(rows, 0) }
  throw new UsageError(
    `${name} has no column that is known to hold IDs. Say which it is with --id-column, by name or by number from 1: ${listOf(first)}.`,
  )
}

function placeGiven(rows: readonly string[][], name: string, idColumn: string, columns: IdColumns): IdPlace {
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

function isSame(name: string, other: string): boolean {
  return name.toLowerCase() === other.toLowerCase()
}

function listOf(columns: readonly string[]): string {
  const shown = columns.slice(0, 12).map((column) => `"${column.slice(0, 40)}"`)
  const more = columns.length - shown.length
  return shown.join(', ') + (more > 0 ? ` and ${more} more` : '')
}
