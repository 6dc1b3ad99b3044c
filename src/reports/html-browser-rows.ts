/** Runs in the page. What the table shows, without the page itself. */

/** As the report writes them: id, status, reason, HTTP status, calls, settled at, took, message, source, line. */
export type Row = [string, number, number, number | null, number, number, number, number, number, number]

export interface Texts {
  baseMs: number
  statuses: string[]
  strings: string[]
}

export type Column =
  | 'id'
  | 'status'
  | 'reason'
  | 'http'
  | 'attempts'
  | 'finished'
  | 'took'
  | 'message'
  | 'line'

export interface Order {
  column: Column
  isDescending: boolean
}

/** A cell as it is shown. */
export function cellOf(row: Row, column: Column, { statuses, strings, baseMs }: Texts): string {
  switch (column) {
    case 'id':
      return row[0]
    case 'status':
      return statuses[row[1]]!
    case 'reason':
      return strings[row[2]]!
    case 'http':
      return row[3] === null ? '' : String(row[3])
    case 'attempts':
      return String(row[4])
    case 'finished':
      return new Date(baseMs + row[5]).toISOString().slice(0, 19).replace('T', ' ')
    case 'took':
      return row[4] === 0 ? '' : tookText(row[6])
    case 'message':
      return strings[row[7]]!
    case 'line':
      return `${row[9]} in ${strings[row[8]]!.replace(/^.*[/\\]/, '')}`
  }
}

/** `128 ms`, `3.4 s`. */
export function tookText(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`
}

/** What a search looks through, in small letters. */
export function searchedText(row: Row, texts: Texts): string {
  const { strings, statuses } = texts
  const parts = [row[0], statuses[row[1]], strings[row[2]], row[3] ?? '', strings[row[7]], strings[row[8]]]
  return `${parts.join('\n')}\n${row[9]}`.toLowerCase()
}

/** The positions of the rows that have a status that is shown and hold every word of the search. */
export function found(
  rows: readonly Row[],
  searched: (position: number) => string,
  search: string,
  isShown: (status: number) => boolean,
): number[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean)
  const positions = []
  for (let position = 0; position < rows.length; position++) {
    if (!isShown(rows[position]![1])) continue
    if (words.length > 0) {
      const text = searched(position)
      if (!words.every((word) => text.includes(word))) continue
    }
    positions.push(position)
  }
  return positions
}

/** Sorts positions by a column; where it is the same, by the order of the input. */
export function sort(
  positions: number[],
  rows: readonly Row[],
  { column, isDescending }: Order,
  texts: Texts,
): void {
  const key = keyOf(column, texts)
  const keys = rows.map(key)
  const way = isDescending ? -1 : 1
  positions.sort((a, b) => {
    const keyA = keys[a]!
    const keyB = keys[b]!
    return keyA < keyB ? -way : keyA > keyB ? way : a - b
  })
}

function keyOf(column: Column, { strings }: Texts): (row: Row, position: number) => string | number {
  switch (column) {
    case 'id':
      return (row) => row[0]
    case 'status':
      return (row) => row[1]
    case 'reason':
      return (row) => strings[row[2]]!
    case 'http':
      return (row) => row[3] ?? 0
    case 'attempts':
      return (row) => row[4]
    case 'finished':
      return (row) => row[5]
    case 'took':
      return (row) => row[6]
    case 'message':
      return (row) => strings[row[7]]!
    case 'line':
      return (_, position) => position
  }
}
