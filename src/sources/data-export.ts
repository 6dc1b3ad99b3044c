import { UsageError } from '../system/errors.js'
import { cleanMessage } from '../system/text.js'
import { isCutOff, readBytes } from './bytes.js'
import { AnonymousExportRow, type ExportRow, rowOf } from './data-export-row.js'
import { ExportScanner, type Found } from './data-export-scanner.js'
import type { InputFile, Source, SourceOptions, SourceRow } from './source.js'

/**
 * What people save of Ada's Data Export, conversations or messages: pages one after another or in an array, an array
 * of records, a record or a page on each line, or a single one of them.
 */
export const dataExport: Source = {
  format: 'json',
  recognises: (head) => /^\s*[[{]/.test(Buffer.from(head).toString('latin1')),
  rows,
}

async function* rows(
  file: InputFile,
  options: SourceOptions,
): AsyncGenerator<readonly SourceRow[], void, undefined> {
  yield* exportRows(readBytes(file.path, file.name, options.onBytes), file.name, options.acceptTruncated)
}

/** The rows of an export that comes in pieces, a batch for each. */
export async function* exportRows(
  pieces: AsyncIterable<Buffer>,
  name: string,
  acceptTruncated = false,
): AsyncGenerator<SourceRow[], void, undefined> {
  const scanner = new ExportScanner(name)
  let anonymous: ExportRow | undefined
  let hasOthers = false
  const batchOf = (found: readonly Found[]) =>
    found.map((record) => {
      const row = rowOf(record, name)
      if (row instanceof AnonymousExportRow) anonymous ??= row
      else hasOthers = true
      return row
    })

  let endsEarly = false
  const cutOff = () => {
    endsEarly = true
  }
  for await (const piece of untilCutOff(pieces, cutOff)) yield batchOf(scanner.next(piece))
  yield batchOf(scanner.end(endsEarly, acceptTruncated))
  if (hasOthers || scanner.hasArray) return
  if (anonymous !== undefined) throw noRecords(name, anonymous.record())
  if (!acceptTruncated) throw new UsageError(`${name} is empty: there are no records in it.`)
}

/** What the last character of UTF-16 is read as when only half of it is there. */
const halfCharacter = Buffer.from('\ufffd')

/** The pieces of a file, without the signs that it is cut off in its packing or its encoding. */
async function* untilCutOff(pieces: AsyncIterable<Buffer>, cutOff: () => void): AsyncGenerator<Buffer> {
  try {
    for await (const piece of pieces) {
      if (piece.equals(halfCharacter)) cutOff()
      else yield piece
    }
  } catch (error) {
    if (!isCutOff(error)) throw error
    cutOff()
  }
}

function noRecords(name: string, answer: Readonly<Record<string, unknown>>): UsageError {
  const errors = Array.isArray(answer.errors) ? answer.errors : [answer]
  const said = errors.map((error) => (error as { message?: unknown } | null)?.message)
  const message = said.find((text) => typeof text === 'string')
  if (message === undefined && !('errors' in answer)) {
    return new UsageError(
      `${name} holds no records: it has neither an array under data or items nor an ID under conversation_id, _id or id.`,
    )
  }
  return new UsageError(
    `${name} holds no records: it looks like an error answer of the API: ${cleanMessage(message ?? JSON.stringify(answer))} — export again.`,
  )
}
