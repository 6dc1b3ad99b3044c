import { momentMs } from '../system/moment.js'

type Fields = Readonly<Record<string, unknown>>

/** Where the moment of the last change stands: in Data Export, in the API's own answers. */
export const updatedFields = ['date_updated', 'updated_at']
export const createdFields = ['date_created', 'created_at']

/** When a record was last touched (Unix); null when it does not say. */
export function updatedMsOf(record: Fields): number | null {
  return lastMoment(record, updatedFields)
}

/** A date without a time is the end of that day: whoever was there in the evening is not cut off for the morning. */
export function lastMoment(record: Fields, fields: readonly string[]): number | null {
  const field = momentField(record, fields)
  const ms = firstMoment(record, fields)
  const isDay = field !== undefined && /^\s*\d{4}-\d\d-\d\d\s*$/.test(String(record[field]))
  return ms !== null && isDay ? ms + dayMs - 1 : ms
}

/** When the first of these fields that says a moment says it was (Unix). */
export function firstMoment(record: Fields, fields: readonly string[]): number | null {
  const field = momentField(record, fields)
  return field === undefined ? null : momentMs(record[field])
}

/** Databases write 1970 or the year 1 where they have no date: that must not pass for long ago. */
function momentField(record: Fields, fields: readonly string[]): string | undefined {
  return fields.find((field) => (momentMs(record[field]) ?? 0) >= earliestMs)
}

const dayMs = 86_400_000
const earliestMs = Date.UTC(2000)
