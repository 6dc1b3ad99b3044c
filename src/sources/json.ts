import { UsageError } from '../system/errors.js'
import { cleanMessage } from '../system/text.js'
import { isCutOff, readBytes } from './bytes.js'
import { idColumnsAmong, isLikeAnId } from './id-columns.js'
import { textOf } from './identifier.js'
import { levelsMax } from './json-extent.js'
import { damageOf, placeText } from './json-fault.js'
import { type Found, JsonScanner } from './json-scanner.js'
import type { InputFile, Source, SourceOptions, SourceRow } from './source.js'

/**
 * What people save of Ada's Data Export, conversations or messages: pages one after another or in an array, an array
 * of records, a record or a page on each line, or a single one of them.
 */
export const json: Source = {
  format: 'json',
  recognises: (head) => /^\s*[[{]/.test(Buffer.from(head).toString('latin1')),
  rows: ({ path, name }: InputFile, { onBytes, acceptTruncated, idColumns, keepsFillers }: SourceOptions) =>
    jsonRows(readBytes(path, name, onBytes), name, acceptTruncated, idColumns, keepsFillers),
}

/** The rows of an export that comes in pieces, a batch for each. */
export async function* jsonRows(
  pieces: AsyncIterable<Buffer>,
  name: string,
  acceptTruncated = false,
  idColumns?: readonly string[],
  isAsBefore = false,
): AsyncGenerator<SourceRow[], void, undefined> {
  const scanner = new JsonScanner(name)
  let endsEarly = false
  const cutOff = () => {
    endsEarly = true
  }
  let hasRecords = false
  let other: SourceRow | undefined
  const batchOf = (found: readonly Found[]) =>
    found.map((one) => {
      const row = new JsonRow(one, name, idColumns, isAsBefore)
      if (row.hasIdField) hasRecords = true
      else other ??= row
      return row
    })
  for await (const piece of untilCutOff(pieces, cutOff)) yield batchOf(scanner.next(piece))
  yield batchOf(scanner.end(endsEarly, acceptTruncated))
  if (hasRecords || scanner.hasArray) return
  if (other !== undefined) throw noRecords(name, other.record())
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

type Fields = Readonly<Record<string, unknown>>

/** In this order: the `_id` of a message is not the one of its conversation. */
const fieldsBefore = ['conversation_id', '_id', 'id']

/** Records of an export have the same fields. */
const fieldOfShape = new Map<string, string>()
const shapesMax = 1000

function idFieldIn(
  record: Fields,
  idColumns: readonly string[] | undefined,
  isAsBefore: boolean,
): string | undefined {
  if (isAsBefore) return fieldsBefore.find((one) => Object.hasOwn(record, one))
  if (idColumns === undefined && Object.hasOwn(record, 'conversation_id')) return 'conversation_id'
  const names = Object.keys(record)
  const shape = names.join('\n')
  const known = fieldOfShape.get(shape)
  if (known !== undefined && idColumns === undefined) return known
  const isId = (index: number) => isLikeAnId(textOf(record[names[index]!]))
  const [index] = idColumnsAmong(names, idColumns, isId)
  const field = index === undefined ? undefined : names[index]!
  // A field called `conversation` is one of IDs in some records, and text in others.
  const isCertain = field !== undefined && idColumns === undefined && !/conversation\W*(?:__c)?$/i.test(field)
  if (isCertain && fieldOfShape.size < shapesMax) fieldOfShape.set(shape, field)
  return field
}

class JsonRow implements SourceRow {
  readonly line: number
  readonly id: string = ''
  readonly problem?: string
  /** False for an object that is perhaps no record. */
  readonly hasIdField: boolean = true
  readonly #fields: Fields = {}

  /** Throws a UsageError if the record is damaged in a way that may have taken in others. */
  constructor(found: Found, name: string, idColumns: readonly string[] | undefined, isAsBefore: boolean) {
    this.line = found.line
    const read = fieldsOf(found, name)
    if (typeof read === 'string') {
      this.problem = problemOf(found, read)
      return
    }
    this.#fields = read
    const field = idFieldIn(read, idColumns, isAsBefore)
    const value = field === undefined ? undefined : read[field]
    const id = objectIdIn(value) ?? value
    if (typeof id === 'string') this.id = id
    else if (Number.isSafeInteger(id)) this.id = String(id)
    else if (field === undefined) {
      this.hasIdField = false
      this.problem = problemOf(found, 'has no conversation_id, _id or id')
    } else {
      this.problem = problemOf(
        found,
        `has a ${field} that is neither text nor a whole number of up to 15 digits`,
      )
    }
  }

  record(): Fields {
    return this.#fields
  }
}

/** The ID in MongoDB's `{"$oid":"66f2a91c4be07d3f5c1e0001"}`. */
function objectIdIn(value: unknown): unknown {
  return typeof value === 'object' && value !== null && '$oid' in value ? value.$oid : undefined
}

/** The fields of a record, or what is wrong with it. */
function fieldsOf(found: Found, name: string): Fields | string {
  if (found.levels > levelsMax) return `has more than ${levelsMax} levels of brackets`
  try {
    const value: unknown = JSON.parse(found.text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Fields) : 'is no object'
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return damageOf(found.text, found, name, !found.isBadLine && mayHoldOthers(found.text))
  }
}

function problemOf(found: Found, what: string): string {
  return `the record at ${placeText(found)} ${what}`
}

/** A quote too few or too many can hide where a record ends. Then something begins in it as records begin. */
function mayHoldOthers(text: string): boolean {
  const squeezed = text.replace(/\s+/g, '')
  const [ownStart] = /^\{"[^"]{0,100}"/.exec(squeezed) ?? ['{']
  return [ownStart, ...fieldsBefore.map((field) => `{"${field}"`)].some(
    (start) => squeezed.indexOf(start, 1) > 0,
  )
}

function noRecords(name: string, answer: Fields): UsageError {
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
