import type { z } from 'zod'
import { type Status, statuses } from '../item.js'
import { UsageError } from '../system/errors.js'
import { eventSchemas, type LifecycleEvent, momentForm, ordinalMax, type RunEvent } from './events.js'
import { firstHead } from './log.js'

/**
 * How an event is written as a line. An event of a run as a whole is written as it is. The others are many, and have
 * shorter names: the first field tells which event it is, and the table what each field means, in the order of the line.
 */
const forms: Record<string, { event: RunEvent['event']; names: Record<string, string> }> = {
  n: {
    event: 'settled',
    names: {
      n: 'ordinal',
      status: 'status',
      reason: 'reason',
      id: 'id',
      http: 'httpStatus',
      attempts: 'attempts',
      at: 'finishedAt',
      ms: 'durationMs',
      message: 'message',
      source: 'source',
      line: 'line',
    },
  },
  sent: { event: 'call-sent', names: { sent: 'ordinal', id: 'id', at: 'at' } },
  look: { event: 'check-sent', names: { look: 'ordinal', id: 'id', at: 'at' } },
  back: {
    event: 'call-returned',
    names: { back: 'ordinal', reason: 'reason', http: 'httpStatus', at: 'at', read: 'isRead' },
  },
  carried: {
    event: 'calls-carried',
    names: { carried: 'ordinal', id: 'id', calls: 'calls', lost: 'isAnswerLost' },
  },
  batch: {
    event: 'batch',
    names: {
      batch: 'reference',
      did: 'did',
      n: 'ordinals',
      job: 'job',
      reason: 'reason',
      http: 'httpStatus',
      at: 'at',
    },
  },
}

const formsByEvent = new Map(Object.values(forms).map((form) => [form.event, Object.entries(form.names)]))

/** The fields of an event's line, in their order. */
export function fieldsOf(event: RunEvent): object {
  const names = formsByEvent.get(event.event)
  if (names === undefined) return event
  const from = (event.event === 'settled' ? event.settled : event) as unknown as Record<string, unknown>
  const fields: Record<string, unknown> = {}
  for (const [name, ours] of names) if (from[ours] !== undefined) fields[name] = from[ours]
  return fields
}

/** Reads any line; null when no run writes it. An event of a later version is passed on as it is. */
export function eventOf(line: string): RunEvent | null {
  if (line.startsWith('{"n"')) return usualSettled(line) ?? exactly(line).event
  if (line.startsWith('{"sent"')) return usualSent(line) ?? exactly(line).event
  return exactly(line).event
}

/** Whether the line of an event can be read again. What is about an item is checked field by field, as there are many. */
export function isReadable(event: RunEvent): boolean {
  switch (event.event) {
    case 'settled': {
      const { ordinal, httpStatus, attempts, durationMs, line, finishedAt, ...texts } = event.settled
      const { status, reason, id, message, source } = texts
      const numbers = [attempts, durationMs, line, httpStatus === null ? 0 : httpStatus]
      return (
        numbers.every(isCount) &&
        isCount(ordinal) &&
        statuses.includes(status) &&
        [reason, id, message, source].every((text) => typeof text === 'string') &&
        isUsable(ordinal, finishedAt) &&
        momentForm.test(finishedAt)
      )
    }
    case 'call-sent':
    case 'check-sent': {
      const { ordinal, id, at } = event
      return isCount(ordinal) && typeof id === 'string' && isUsable(ordinal, at) && momentForm.test(at)
    }
    default:
      return eventSchemas[event.event].safeParse(event).success
  }
}

function isCount(number: number): boolean {
  return Number.isSafeInteger(number) && number >= 0
}

/** Says what is wrong with a line that `eventOf` refuses. */
export function faultOf(line: string): string {
  return exactly(line).fault
}

function exactly(line: string): { event: RunEvent; fault: '' } | { event: null; fault: string } {
  const fields = parsed(line)
  const first = fields === null ? '' : (Object.keys(fields)[0] ?? '')
  const form = Object.hasOwn(forms, first) ? forms[first]! : null
  const name = form?.event ?? (first === 'event' ? fields!.event : null)
  if (fields === null || typeof name !== 'string') return { event: null, fault: 'is no line of a checkpoint' }
  const event = form === null ? fields : renamed(fields, name, form.names)
  const isKnown = Object.hasOwn(eventSchemas, name)
  const schema: z.ZodType = isKnown ? eventSchemas[name as keyof typeof eventSchemas] : laterEvent
  const { error, data } = schema.safeParse(event)
  // Settings that are younger than the run have their defaults.
  if (error === undefined)
    return { event: (isKnown && 'settings' in event ? data : event) as RunEvent, fault: '' }
  const [path] = error.issues.map(({ path }) => (path[0] === 'settled' ? path[1] : path[0]))
  const [onDisk] = Object.entries(form?.names ?? {}).find(([, ours]) => ours === path) ?? [path]
  return { event: null, fault: `has no usable ${JSON.stringify(onDisk ?? first)}` }
}

const laterEvent = eventSchemas.finished.pick({ at: true })

function renamed(fields: Record<string, unknown>, event: string, names: Record<string, string>) {
  const ours: Record<string, unknown> = {}
  for (const [name, our] of Object.entries(names)) if (name in fields) ours[our] = fields[name]
  return event === 'settled' ? { event, settled: ours } : { event, ...ours }
}

function parsed(text: string): Record<string, unknown> | null {
  try {
    const fields = JSON.parse(text)
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : null
  } catch {
    return null
  }
}

/** Values as JSON.stringify writes them; nothing that has to be unescaped. */
const count = '(0|[1-9]\\d{0,14})'
const status = '(null|[1-9]\\d{0,14})'
const moment = '"(\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z)"'
const text = '"([^"\\\\\\u0000-\\u001f]*)"'
const prevStart = ',"prev":"'

/**
 * Matches a line with exactly the fields of a form, up to its hash. Nearly all lines have one of two forms, and this
 * takes half the time of JSON.parse.
 */
function usual(form: string, values: readonly string[]): (line: string) => string[] | null {
  const fields = Object.keys(forms[form]!.names).map((name, index) => `"${name}":${values[index]}`)
  const beginning = new RegExp(`\\{${fields.join(',')}${prevStart}`, 'y')
  return (line) => {
    beginning.lastIndex = 0
    const found = beginning.exec(line)
    const end = beginning.lastIndex + firstHead.length
    // The hash by such an expression would take as long as all the rest.
    const isWhole =
      line.length === end + 2 && line.indexOf('"', beginning.lastIndex) === end && line[end + 1] === '}'
    return found !== null && isWhole ? found : null
  }
}

const usualSentLine = usual('sent', [count, text, moment])
const usualSettledLine = usual('n', [
  count,
  text,
  text,
  text,
  status,
  count,
  moment,
  count,
  text,
  text,
  count,
])

function usualSent(line: string): RunEvent | null {
  const found = usualSentLine(line)
  if (found === null) return null
  const [, ordinal, id, at] = found as unknown as [string, string, string, string]
  return isUsable(Number(ordinal), at) ? { event: 'call-sent', ordinal: Number(ordinal), id, at } : null
}

function usualSettled(line: string): RunEvent | null {
  const found = usualSettledLine(line)
  if (found === null) return null
  const settled = {
    ordinal: Number(found[1]),
    status: found[2] as Status,
    reason: found[3]!,
    id: found[4]!,
    httpStatus: found[5] === 'null' ? null : Number(found[5]),
    attempts: Number(found[6]),
    finishedAt: found[7]!,
    durationMs: Number(found[8]),
    message: found[9]!,
    source: found[10]!,
    line: Number(found[11]),
  }
  const isOurs = statuses.includes(settled.status) && isUsable(settled.ordinal, settled.finishedAt)
  return isOurs ? { event: 'settled', settled } : null
}

function isUsable(ordinal: number, at: string): boolean {
  return ordinal <= ordinalMax && !Number.isNaN(Date.parse(at))
}

/** Names a line that no run writes by its number or where it begins: `line 3`, `byte 120`. */
export function notOurs(path: string, where: string): UsageError {
  return new UsageError(`${path}, ${where}: not a line of a checkpoint. Was the file edited?`)
}

export function isLifecycle(event: RunEvent): event is LifecycleEvent {
  return !formsByEvent.has(event.event)
}
