import { broken, placeIn, placeText } from './data-export-damage.js'
import { levelsMax } from './data-export-extent.js'
import { faultIn } from './data-export-fault.js'
import type { Found } from './data-export-scanner.js'
import type { SourceRow } from './source.js'

type Fields = Readonly<Record<string, unknown>>

/** In this order: the `_id` of a message is not the one of its conversation. */
const idFields = ['conversation_id', '_id', 'id']

export class ExportRow implements SourceRow {
  constructor(
    readonly id: string,
    readonly line: number,
    private readonly fields: Fields,
  ) {}

  record(): Fields {
    return this.fields
  }
}

export class FaultyExportRow extends ExportRow {
  constructor(
    readonly problem: string,
    ...row: ConstructorParameters<typeof ExportRow>
  ) {
    super(...row)
  }
}

/** A row without any of the ID fields. */
export class AnonymousExportRow extends FaultyExportRow {}

/** Throws a UsageError if the record is damaged in a way that may have taken in others. */
export function rowOf(found: Found, name: string): ExportRow {
  if (found.levels > levelsMax) return faulty(found, `has more than ${levelsMax} levels of brackets`)
  let value: unknown
  try {
    value = JSON.parse(found.text)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return faulty(found, damageOf(found, name))
  }
  const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
  if (!isObject) return faulty(found, 'is no object')
  const fields = value as Fields
  const idField = idFields.find((field) => Object.hasOwn(fields, field))
  if (idField === undefined) {
    return new AnonymousExportRow(
      problemOf(found, 'has no conversation_id, _id or id'),
      '',
      found.line,
      fields,
    )
  }
  const id = fields[idField]
  if (typeof id === 'string') return new ExportRow(id, found.line, fields)
  if (Number.isSafeInteger(id)) return new ExportRow(String(id), found.line, fields)
  return faulty(found, `has a ${idField} that is neither text nor a whole number of up to 15 digits`, fields)
}

function faulty(found: Found, what: string, fields: Fields = {}): FaultyExportRow {
  return new FaultyExportRow(problemOf(found, what), '', found.line, fields)
}

function problemOf(found: Found, what: string): string {
  return `the record at ${placeText(found)} ${what}`
}

function damageOf(found: Found, name: string): string {
  const bytes = Buffer.from(found.text)
  const fault = faultIn(bytes.toString('latin1'))
  if (fault === null) throw new Error('JSON.parse found a fault, and we found none.')
  const place = placeIn(bytes, fault.at, found)
  const [character = ''] = bytes.toString('utf8', fault.at, fault.at + 4)
  if (!found.isBadLine && mayHoldOthers(found.text)) throw broken(name, place, fault.expected, character)
  if (fault.at === bytes.length) return 'is damaged: it ends too early'
  return `is damaged: expected ${fault.expected} at ${placeText(place)}, found ${JSON.stringify(character)}`
}

/** A quote too few or too many can hide where a record ends. Then something begins in it as records begin. */
function mayHoldOthers(text: string): boolean {
  const squeezed = text.replace(/\s+/g, '')
  const [ownStart] = /^\{"[^"]{0,100}"/.exec(squeezed) ?? ['{']
  return [ownStart, ...idFields.map((field) => `{"${field}"`)].some((start) => squeezed.indexOf(start, 1) > 0)
}
