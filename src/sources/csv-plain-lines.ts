import type { CsvRecord } from './csv-records.js'

const lineFeed = 10

/**
 * Splits the lines at the beginning of a CSV that can be read in one way only: a record each, its quoted cells closed
 * before its end. Nearly all files are made of them to the end, and csv-parse takes several times as long.
 */
export class PlainLines {
  /** The line that comes next. */
  line = 1
  readonly #delimiter: string
  readonly #longestLine: number
  /** The beginning of a line. */
  #kept: Buffer = Buffer.alloc(0)

  constructor(delimiter: string, longestLine: number) {
    this.#delimiter = delimiter
    this.#longestLine = longestLine
  }

  /** The records of the whole lines so far; `rest` begins with a line that is not plain, and null means there is none. */
  next(piece: Buffer): { records: CsvRecord[]; rest: Buffer | null } {
    const bytes = this.#kept.length === 0 ? piece : Buffer.concat([this.#kept, piece])
    const end = bytes.lastIndexOf(lineFeed) + 1
    const text = bytes.toString('utf8', 0, end)
    this.#kept = bytes.subarray(end)
    const records: CsvRecord[] = []
    for (let from = 0; from < text.length; ) {
      const to = text.indexOf('\n', from)
      const cells = this.#cellsOf(text.slice(from, text[to - 1] === '\r' && to > from ? to - 1 : to))
      if (cells === null) return { records, rest: Buffer.concat([Buffer.from(text.slice(from)), this.#kept]) }
      if (cells.length > 0) records.push({ cells, line: this.line, hasStrayText: false })
      this.line += 1
      from = to + 1
    }
    return { records, rest: this.#kept.length > this.#longestLine ? this.end() : null }
  }

  /** What is left: a line without an end. */
  end(): Buffer {
    return this.#kept
  }

  /** No cells of an empty line, null of one that is not plain. */
  #cellsOf(line: string): string[] | null {
    if (line === '') return []
    if (line.length > this.#longestLine || line.includes('\r')) return null
    return line.includes('"') ? quotedCells(line, this.#delimiter) : line.split(this.#delimiter)
  }
}

function quotedCells(line: string, delimiter: string): string[] | null {
  const cells: string[] = []
  for (let from = 0; ; ) {
    const isQuoted = line[from] === '"'
    const to = isQuoted ? closingQuote(line, from + 1) + 1 : endOfCell(line, delimiter, from)
    const cell = isQuoted ? line.slice(from + 1, to - 1).replaceAll('""', '"') : line.slice(from, to)
    if (to === 0 || (!isQuoted && cell.includes('"'))) return null
    cells.push(cell)
    if (to === line.length) return cells
    if (line[to] !== delimiter) return null
    from = to + 1
  }
}

function endOfCell(line: string, delimiter: string, from: number): number {
  const to = line.indexOf(delimiter, from)
  return to === -1 ? line.length : to
}

/** -1 when there is none. */
function closingQuote(line: string, from: number): number {
  let at = line.indexOf('"', from)
  while (at !== -1 && line[at + 1] === '"') at = line.indexOf('"', at + 2)
  return at
}
