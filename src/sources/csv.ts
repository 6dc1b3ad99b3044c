import { readBytes, readHead } from './bytes.js'
import { type CsvLayout, layoutOf, widthOf } from './csv-layout.js'
import { csvRecords } from './csv-records.js'
import { withoutEdges } from './identifier.js'
import type { InputFile, Source, SourceOptions, SourceRow } from './source.js'

/** Separated by comma, semicolon, tab or pipe, with or without a header; also a plain list of IDs. */
export const csv: Source = {
  format: 'csv',
  // Whatever is not JSON: it has the better words for a file that is neither.
  recognises: (head) => !/^\s*[[{]/.test(Buffer.from(head).toString('latin1')),
  rows,
}

async function* rows(file: InputFile, options: SourceOptions): AsyncGenerator<SourceRow[], void, undefined> {
  const layout = await layoutOf(await readHead(file.path, file.name), file.name, options)
  let isHeaderNext = layout.hasHeader
  const bytes = readBytes(file.path, file.name, options.onBytes)
  for await (const records of csvRecords(bytes, layout.delimiter, file.name)) {
    const batch: SourceRow[] = []
    for (const { cells, line, hasStrayText } of records) {
      if (isBlank(cells)) continue
      if (isHeaderNext) isHeaderNext = false
      else batch.push(rowOf(cells, line, hasStrayText, layout))
    }
    yield batch
  }
}

class CsvRow implements SourceRow {
  constructor(
    readonly id: string,
    readonly line: number,
    private readonly cells: readonly string[],
    private readonly names: readonly string[],
  ) {}

  record(): Record<string, string> {
    const name = (index: number) => this.names[index] ?? `column_${index + 1}`
    return Object.fromEntries(this.cells.map((cell, index) => [name(index), cell]))
  }
}

class FaultyCsvRow extends CsvRow {
  constructor(
    readonly problem: string,
    ...row: ConstructorParameters<typeof CsvRow>
  ) {
    super(...row)
  }
}

function rowOf(cells: string[], line: number, hasStrayText: boolean, layout: CsvLayout): CsvRow {
  const id = cells[layout.idIndex] ?? ''
  const problem =
    cells.length === layout.width && !hasStrayText ? undefined : problemOf(cells, hasStrayText, layout)
  return problem === undefined
    ? new CsvRow(id, line, cells, layout.names)
    : new FaultyCsvRow(problem, id, line, cells, layout.names)
}

function problemOf(cells: readonly string[], hasStrayText: boolean, layout: CsvLayout): string | undefined {
  const { idIndex, width, widthMin, hasHeader } = layout
  const has = `the row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}`
  if (cells.length <= idIndex) return `${has}, column ${idIndex + 1} is missing`
  // Cells may have moved: a separator is missing, or one stands in a text without quotes.
  if (widthOf(cells) > width || cells.length < widthMin) {
    return `${has} where the ${hasHeader ? 'header has' : 'others have'} ${width}`
  }
  return hasStrayText ? 'text follows the closing quote of a cell in the row' : undefined
}

/** A line of nothing but spaces. (One of nothing at all does not get here.) */
function isBlank(cells: readonly string[]): boolean {
  return cells.length === 1 && cells[0] !== '' && withoutEdges(cells[0]!) === ''
}
