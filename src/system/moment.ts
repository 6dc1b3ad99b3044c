const written =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?)?$/i

/**
 * A moment as records write it, in Unix milliseconds; null when it is not one. Ada's Data Export leaves out the offset:
 * such a time is UTC. Numbers are Unix seconds, or milliseconds from 12 digits on.
 */
export function momentMs(value: unknown): number | null {
  if (typeof value === 'number') return fromNumber(value)
  if (typeof value !== 'string') return null
  const text = value.trim()
  if (/^\d{9,13}(\.\d+)?$/.test(text)) return fromNumber(Number(text))
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '0', zone = 'Z'] =
    written.exec(text) ?? []
  if (year === undefined) return null
  const at = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)))
  // Date takes the years 0 to 99 for 1900 to 1999, and 31 February for a day in March.
  const isDay =
    at.getUTCFullYear() === Number(year) &&
    at.getUTCMonth() === Number(month) - 1 &&
    at.getUTCDate() === Number(day)
  const differenceMs = offsetMs(zone)
  if (!isDay || !isTime(hour, minute) || Number(second) > 59 || differenceMs === null) return null
  const seconds = (Number(hour) * 60 + Number(minute)) * 60 + Number(second)
  return at.getTime() + seconds * 1000 + Number(fraction.padEnd(3, '0').slice(0, 3)) - differenceMs
}

function fromNumber(number: number): number | null {
  if (!(number > 0 && number < 1e13)) return null
  return Math.floor(number >= 1e11 ? number : number * 1000)
}

/** Null when there is no such offset. */
function offsetMs(zone: string): number | null {
  const [, sign, hours = '', minutes = '0'] = /^([+-])(\d{2}):?(\d{2})?$/.exec(zone) ?? []
  if (sign === undefined) return 0
  if (!isTime(hours, minutes)) return null
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

function isTime(hour: string, minute: string): boolean {
  return Number(hour) < 24 && Number(minute) < 60
}
