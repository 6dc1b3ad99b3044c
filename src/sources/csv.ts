import { readBytes, readHead } from './bytes.js'
import { type CsvLayout, isSame, layoutOf, widthOf } from './csv-layout.js'
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
  const head = options.head ?? (await readHead(file.path, file.name))
  const layout = await layoutOf(head, file.name, options)
  let isHeaderNext = layout.hasHeader
  let { skipped } = layout
  const bytes = readBytes(file.path, file.name, options.onBytes)
  for await (const records of csvRecords(bytes, layout.delimiter, file.name)) {
    const batch: SourceRow[] = []
    for (const { cells, line, hasStrayText } of records) {
      if (isBlank(cells, options.keepsFillers)) continue
      if (skipped > 0) skipped -= 1
      else if (isHeaderNext) isHeaderNext = false
      else if (!options.keepsFillers && isHeaderAgain(cells, layout)) options.onRepeatedHeader?.()
      else batch.push(new CsvRow(cells, line, hasStrayText, layout))
    }
    yield batch
  }
}

class CsvRow implements SourceRow {
  readonly id: string
  readonly problem?: string
  private readonly names: readonly string[]

  constructor(
    private readonly cells: readonly string[],
    readonly line: number,
    hasStrayText: boolean,
    layout: CsvLayout,
  ) {
    this.id = cells[layout.idIndex] ?? ''
    this.names = layout.names
    const problem = problemOf(cells, hasStrayText, layout)
    if (problem !== undefined) this.problem = problem
  }

  record(): Record<string, string> {
    const name = (index: number) => this.names[index] ?? `column_${index + 1}`
    return Object.fromEntries(this.cells.map((cell, index) => [name(index), cell]))
  }
}

function problemOf(cells: readonly string[], hasStrayText: boolean, layout: CsvLayout): string | undefined {
  const { idIndex, width, widthMin, hasHeader } = layout
  if (cells.length === width && !hasStrayText) return undefined
  const has = `the row has ${cells.length} ${cells.length === 1 ? 'cell' : 'cells'}`
  if (cells.length <= idIndex) return `${has}, column ${idIndex + 1} is missing`
  // Cells may have moved: a separator is missing, or a text without quotes holds one.
  if (widthOf(cells) > width || cells.length < widthMin) {
    return `${has} where the ${hasHeader ? 'header has' : 'others have'} ${width}`
  }
  return hasStrayText ? 'text follows the closing quote of a cell in the row' : undefined
}

/** Nothing but spaces and separators. (A line of nothing at all does not get here.) */
function isBlank(cells: readonly string[], keepsFillers = false): boolean {
  if (cells.length === 1) return cells[0] !== '' && withoutEdges(cells[0]!) === ''
  if (keepsFillers) return false
  return cells.every((cell) => cell === '' || withoutEdges(cell) === '')
}

/** The header once more, where files were joined. */
function isHeaderAgain(cells: readonly string[], { header, idIndex, idNames }: CsvLayout): boolean {
  const id = cells[idIndex] ?? ''
  const names = header === null ? idNames : [header[idIndex]!]
  // Most IDs are longer than the name of their column, beside a mark and a space.
  if (id === '' || !names.some((name) => id.length <= name.length + 3 && isSame(withoutEdges(id), name)))
    return false
  if (header === null) return cells.length === 1
  return cells.every(
    (cell, index) => withoutEdges(cell).toLowerCase() === (header[index] ?? '').toLowerCase(),
  )
}
