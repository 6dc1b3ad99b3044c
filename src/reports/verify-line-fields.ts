import { usualSettledLine } from '../checkpoint/settled-line.js'
import { usualLine } from '../checkpoint/usual-line.js'

export type Fields = Record<string, unknown>

const sent = usualLine({ sent: 'count', id: 'text', at: 'moment' })
/** What a line says, but for the hash of the one before; null when it is no JSON object. */
export function fieldsOf(line: string): Fields | null {
  if (line.startsWith('{"sent"')) return sentFields(line) ?? parsed(line)
  return (line.startsWith('{"n"') ? settledFields(line) : null) ?? parsed(line)
}

function sentFields(line: string): Fields | null {
  const found = sent(line)
  return found && { sent: Number(found[1]), id: found[2], at: found[3] }
}

function settledFields(line: string): Fields | null {
  const found = usualSettledLine(line)
  return (
    found && {
      n: Number(found[1]),
      status: found[2],
      reason: found[3],
      id: found[4],
      http: found[5] === 'null' ? null : Number(found[5]),
      attempts: Number(found[6]),
      at: found[7],
      ms: Number(found[8]),
      message: found[9],
      source: found[10],
      line: Number(found[11]),
    }
  )
}

function parsed(text: string): Fields | null {
  try {
    const fields = JSON.parse(text)
    return typeof fields === 'object' && fields !== null && !Array.isArray(fields) ? fields : null
  } catch {
    return null
  }
}
