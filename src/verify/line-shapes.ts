import { statuses } from '../outcome.js'

/** What is wrong with the fields of a line by themselves; null when nothing is. */
export function faultOfShape(fields: Record<string, unknown>): string | null {
  const shape = shapes.get(firstField(fields))
  if (shape === undefined) return 'is no line of a checkpoint'
  for (const [name, isRight] of shape) {
    if (!isRight(fields[name])) return `has no usable ${JSON.stringify(name)}`
  }
  return null
}

export function firstField(fields: Record<string, unknown>): string {
  for (const name in fields) return name
  return ''
}

type Shape = Record<string, (value: unknown) => boolean>

const isText = (value: unknown) => typeof value === 'string'
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isFlag = (value: unknown) => typeof value === 'boolean'
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const isMoment = (value: unknown) => isText(value) && moment.test(value as string)
const isHttpStatus = (value: unknown) => value === null || isCount(value)
const isReason = (value: unknown) => isText(value) && /^[a-z0-9_]{1,60}$/i.test(value as string)

/** By the field that a line begins with. */
const shapesByName: Record<string, Shape> = {
  n: {
    n: isCount,
    status: (value) => (statuses as readonly unknown[]).includes(value),
    reason: isReason,
    id: isText,
    http: isHttpStatus,
    attempts: isCount,
    at: isMoment,
    ms: isCount,
    message: isText,
    source: isText,
    line: isCount,
  },
  sent: { sent: isCount, id: isText, at: isMoment },
  look: { look: isCount, id: isText, at: isMoment },
  back: { back: isCount, reason: isText, http: isHttpStatus, at: isMoment },
  carried: { carried: isCount, id: isText, calls: isCount, lost: isFlag },
  batch: {
    batch: isText,
    did: isText,
    at: isMoment,
    n: (value) => value === undefined || (Array.isArray(value) && value.every(isCount)),
  },
  event: { event: isText, at: isMoment },
}

/** A million lines are held against them. */
const shapes = new Map(Object.entries(shapesByName).map(([name, shape]) => [name, Object.entries(shape)]))
