import { z } from 'zod'
import { statuses } from '../item.js'
import { fingerprinted, rateWindow, runSettings } from '../settings/run-settings.js'
import { UsageError } from '../system/errors.js'

/** No input has more items. */
export const ordinalMax = 2 ** 28

/** What is wrong with the fields of a line by themselves; null when nothing is. */
export function faultOfShape(fields: Record<string, unknown>): string | null {
  const shape = shapes.get(firstField(fields))
  if (shape === undefined) return 'is no line of a checkpoint'
  for (const [name, isRight] of shape) {
    if (!isRight(fields[name], fields)) return `has no usable ${JSON.stringify(name)}`
  }
  return null
}

export function firstField(fields: Record<string, unknown>): string {
  for (const name in fields) return name
  return ''
}

/** The fields of a line; null when it is none that a run writes. */
export function fieldsOfLine(text: string): Record<string, unknown> | null {
  try {
    const fields = JSON.parse(text)
    const isObject = typeof fields === 'object' && fields !== null && !Array.isArray(fields)
    return isObject && faultOfShape(fields) === null ? fields : null
  } catch {
    return null
  }
}

/** Of a line that no run writes, named by its number or where it begins: `line 3`, `byte 120`. */
export function notOurs(path: string, where: string): UsageError {
  return new UsageError(`${path}, ${where}: not a line of a checkpoint. Was the file edited?`)
}

type Shape = Record<string, (value: unknown, fields: Record<string, unknown>) => boolean>

const isText = (value: unknown) => typeof value === 'string'
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0
const isOrdinal = (value: unknown) => isCount(value) && (value as number) <= ordinalMax
const isFlag = (value: unknown) => typeof value === 'boolean'
const moment = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/
const isMoment = (value: unknown) =>
  isText(value) && moment.test(value as string) && !Number.isNaN(Date.parse(value as string))
const isHttpStatus = (value: unknown) => value === null || isCount(value)

const count = z.number().int().nonnegative()
const signed = { by: z.string(), host: z.string() }

/** What is relied on besides the time. Earlier versions left out what is optional here. */
const eventSchemas: Record<string, z.ZodType> = {
  started: z.object({ ...signed, confirmed: count.optional(), settings: runSettings.optional() }),
  resumed: z.object({ ...signed, confirmed: count.optional(), settings: runSettings.optional() }),
  'input-changed': z.object({
    input: z.array(fingerprinted),
    plan: z.object({ read: count, calls: count }),
  }),
  paused: z.object(signed),
  continued: z.object(signed),
  throttled: z.object({
    ...signed,
    share: z.number().positive().max(1).nullable(),
    limits: z.union([z.literal('none'), z.array(rateWindow)]).nullable(),
  }),
  waited: z.object({ ms: z.record(z.string(), z.number().nonnegative()) }),
  stopped: z.object({ exitCode: count, because: z.string() }),
  finished: z.object({ exitCode: count }),
}

/** An event of a later version is let through: who counts on all of them has to say so. */
function isEvent(value: unknown, fields: Record<string, unknown>): boolean {
  if (typeof value !== 'string') return false
  const schema = Object.hasOwn(eventSchemas, value) ? eventSchemas[value] : undefined
  return schema === undefined || schema.safeParse(fields).success
}

/** By the field that a line begins with. */
const shapesByName: Record<string, Shape> = {
  n: {
    n: isOrdinal,
    status: (value) => (statuses as readonly unknown[]).includes(value),
    reason: isText,
    id: isText,
    http: isHttpStatus,
    attempts: isCount,
    at: isMoment,
    ms: isCount,
    message: isText,
    source: isText,
    line: isCount,
  },
  sent: { sent: isOrdinal, id: isText, at: isMoment },
  look: { look: isOrdinal, id: isText, at: isMoment },
  back: { back: isOrdinal, reason: isText, http: isHttpStatus, at: isMoment },
  carried: { carried: isOrdinal, id: isText, calls: isCount, lost: isFlag },
  batch: {
    batch: isText,
    did: isText,
    at: isMoment,
    n: (value, { did }) =>
      Array.isArray(value) ? value.every(isOrdinal) : value === undefined && did !== 'sent',
    job: (value, { did }) => did !== 'accepted' || isText(value),
    reason: (value) => value === undefined || isText(value),
  },
  event: { event: isEvent, at: isMoment },
}

/** A million lines are held against them. */
const shapes = new Map(Object.entries(shapesByName).map(([name, shape]) => [name, Object.entries(shape)]))
