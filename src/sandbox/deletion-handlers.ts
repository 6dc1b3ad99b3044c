import { type HttpHandler, http } from 'msw'
import { type Answer, json, notFound, refusal } from './answers.js'
import type { Deletions, Identifier } from './deletions.js'
import type { Before } from './door.js'
import { at } from './route.js'

const identifiersMax = 1000
const bytesMax = 512 * 1024
const types = ['email', 'chatter_id', 'external_id', 'end_user_id', 'variable_match']

/** The deletion of end users. Submitting and asking are under different rate limits. */
export function deletionHandlers(
  beforeSubmit: Before,
  beforeAsking: Before,
  deletions: Deletions,
): HttpHandler[] {
  return [
    http.post(at('/api/v2/end-users/delete'), async (call) => {
      const text = await call.request.text()
      return beforeSubmit((_, nowMs) => submit(text, deletions, nowMs))(call)
    }),
    http.get(
      at('/api/v2/jobs/:job'),
      beforeAsking(({ params }, nowMs) => describe(params.job!, deletions, nowMs)),
    ),
  ]
}

function submit(text: string, deletions: Deletions, nowMs: number): Answer {
  if (Buffer.byteLength(text) > bytesMax) {
    return refusal(413, 'payload_too_large', 'The request body exceeds the maximum size of 512 KB')
  }
  const asked = bodyOf(text)
  if (asked === null) return refusal(400, 'validation_error', 'Invalid request body')
  const { identifiers, reference } = asked
  if (identifiers.length > identifiersMax) {
    return refusal(413, 'payload_too_large', 'A request accepts at most 1000 identifiers')
  }
  const job = deletions.submit(identifiers, reference, nowMs)
  if (job === null) {
    return refusal(400, 'validation_error', 'client_reference was used for other identifiers')
  }
  return json(202, {
    job_id: job.id,
    status: 'queued',
    submitted_count: identifiers.length,
    created_at: new Date(job.createdAtMs).toISOString(),
  })
}

function describe(id: string, deletions: Deletions, nowMs: number): Answer {
  const job = deletions.get(id)
  if (!job) return notFound(`No deletion job ${id}`)
  const status = deletions.statusOf(job, nowMs)
  const isOver = status !== 'queued' && status !== 'in_progress'
  return json(200, {
    job_id: job.id,
    type: 'end_user_deletion',
    client_reference: job.reference,
    status,
    identifiers: job.dispositions,
    created_at: new Date(job.createdAtMs).toISOString(),
    completed_at: isOver ? new Date(nowMs).toISOString() : null,
    failure_reason: status === 'failed' ? job.failureReason : null,
  })
}

/** Null for what the API does not take. */
function bodyOf(text: string): { identifiers: Identifier[]; reference: string | null } | null {
  try {
    const { identifiers, client_reference: reference = null } = JSON.parse(text)
    if (!Array.isArray(identifiers) || identifiers.length === 0) return null
    if (reference !== null && typeof reference !== 'string') return null
    const read = identifiers.map(identifierOf)
    return read.every((identifier) => identifier !== null) ? { identifiers: read, reference } : null
  } catch {
    return null
  }
}

function identifierOf(value: Partial<Identifier>): Identifier | null {
  const { type, value: text, variable = null } = value
  if (typeof text !== 'string' || text === '' || !types.includes(type ?? '')) return null
  if ((type === 'variable_match') !== (variable !== null)) return null
  return { type: type!, value: text, variable }
}
