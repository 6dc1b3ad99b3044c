import { type HttpHandler, http } from 'msw'
import { z } from 'zod'
import { type Answer, at, type Guard, invalid, json, notFound, refusal } from './middleware.js'

const identifiersMax = 1000
const bytesMax = 512 * 1024

/** One reference to end users whose data is to be erased. */
const identifierSchema = z
  .object({
    type: z.enum(['email', 'chatter_id', 'external_id', 'end_user_id', 'variable_match']),
    value: z.string().min(1),
    variable: z.string().nullable().default(null),
  })
  .refine(({ type, variable }) => (type === 'variable_match') === (variable !== null))
const requestSchema = z.object({
  identifiers: z.array(identifierSchema).min(1),
  client_reference: z.string().nullable().default(null),
})

type Identifier = z.infer<typeof identifierSchema>

interface Disposition extends Identifier {
  disposition: 'accepted' | 'not_found' | 'invalid' | 'exceeds_limit' | 'duplicate'
  matched_chatters: number
  reason: string | null
}

interface DeletionJob {
  id: string
  reference: string | null
  identifiers: Disposition[]
  createdAtMs: number
  /** Null: it will come to its end. */
  failureReason: string | null
}

const dayMs = 86_400_000
/** Two identical requests with one reference within this time are one. */
const referenceMs = dayMs
/** An identifier that was submitted less than this ago makes the whole job fail. */
const cooldownMs = 7 * dayMs

/** The deletion jobs of the sandbox. Any end user exists, but for those whose identifier says that it is special. */
export class Deletions {
  readonly #jobs = new Map<string, DeletionJob>()
  readonly #jobsByReference = new Map<string, DeletionJob>()
  readonly #submittedAtMs = new Map<string, number>()
  readonly #deletionMs: number

  constructor(deletionMs: number) {
    this.#deletionMs = deletionMs
  }

  /** How many jobs there are: a request that was sent again within a day makes no other. */
  get count(): number {
    return this.#jobs.size
  }

  /** In how many jobs that did not fail this value was accepted. */
  timesErased(value: string): number {
    const isIt = (each: Disposition) =>
      each.disposition === 'accepted' && each.value.toLowerCase() === value.toLowerCase()
    return [...this.#jobs.values()]
      .filter(({ failureReason }) => failureReason === null)
      .reduce((times, { identifiers }) => times + identifiers.filter(isIt).length, 0)
  }

  submit(text: string, nowMs: number): Answer {
    if (Buffer.byteLength(text) > bytesMax)
      return refusal(413, 'payload_too_large', 'The request body exceeds the maximum size of 512 KB')
    const request = requestSchema.safeParse(parsed(text)).data
    if (request === undefined) return invalid('Invalid request body')
    const { identifiers, client_reference: reference } = request
    if (identifiers.length > identifiersMax)
      return refusal(413, 'payload_too_large', 'A request accepts at most 1000 identifiers')
    const known = reference === null ? undefined : this.#jobsByReference.get(reference)
    const isAgain = known !== undefined && nowMs - known.createdAtMs < referenceMs
    if (isAgain && known.identifiers.map(keyOf).join() !== identifiers.map(keyOf).join())
      return invalid('client_reference was used for other identifiers')
    const job = isAgain ? known : this.#open(identifiers, reference, nowMs)
    return json(202, {
      job_id: job.id,
      status: 'queued',
      submitted_count: identifiers.length,
      created_at: new Date(job.createdAtMs).toISOString(),
    })
  }

  #open(identifiers: readonly Identifier[], reference: string | null, nowMs: number): DeletionJob {
    const isTooSoon = identifiers.some(
      (identifier) => nowMs - (this.#submittedAtMs.get(keyOf(identifier)) ?? -cooldownMs) < cooldownMs,
    )
    const job: DeletionJob = {
      id: `deletion-${String(this.#jobs.size + 1).padStart(6, '0')}`,
      reference,
      identifiers: dispositionsOf(identifiers),
      createdAtMs: nowMs,
      failureReason: isTooSoon ? 'identifier_submitted_within_cooldown' : null,
    }
    for (const identifier of identifiers) this.#submittedAtMs.set(keyOf(identifier), nowMs)
    this.#jobs.set(job.id, job)
    if (reference !== null) this.#jobsByReference.set(reference, job)
    return job
  }

  describe(id: string, nowMs: number): Answer {
    const job = this.#jobs.get(id)
    if (!job) return notFound(`No deletion job ${id}`)
    const status = this.#statusOf(job, nowMs)
    const isOver = status !== 'queued' && status !== 'in_progress'
    return json(200, {
      job_id: job.id,
      type: 'end_user_deletion',
      client_reference: job.reference,
      status,
      identifiers: job.identifiers,
      created_at: new Date(job.createdAtMs).toISOString(),
      completed_at: isOver ? new Date(nowMs).toISOString() : null,
      failure_reason: status === 'failed' ? job.failureReason : null,
    })
  }

  #statusOf({ createdAtMs, failureReason, identifiers }: DeletionJob, nowMs: number) {
    const passedMs = nowMs - createdAtMs
    if (passedMs < this.#deletionMs) return passedMs < this.#deletionMs / 3 ? 'queued' : 'in_progress'
    if (failureReason !== null) return 'failed'
    return identifiers.every(({ disposition }) => disposition === 'accepted') ? 'completed' : 'partial'
  }
}

/** Submitting and asking are under different rate limits. */
export function deletionHandlers(submitting: Guard, asking: Guard, deletions: Deletions): HttpHandler[] {
  return [
    http.post(at('/api/v2/end-users/delete'), async (call) => {
      const text = await call.request.text()
      return submitting((_, nowMs) => deletions.submit(text, nowMs))(call)
    }),
    http.get(
      at('/api/v2/jobs/:job'),
      asking(({ params }, nowMs) => deletions.describe(params.job!, nowMs)),
    ),
  ]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** As the API compares them: emails and external IDs whatever their case. */
function keyOf({ type, value, variable }: Identifier): string {
  const isAnyCase = type === 'email' || type === 'external_id'
  return JSON.stringify([type, isAnyCase ? value.trim().toLowerCase() : value, variable])
}

function dispositionsOf(identifiers: readonly Identifier[]): Disposition[] {
  const seen = new Set<string>()
  return identifiers.map((identifier) => {
    const isAgain = seen.has(keyOf(identifier))
    seen.add(keyOf(identifier))
    const [disposition, matched, reason = null] = isAgain ? (['duplicate', 0] as const) : foundBy(identifier)
    return { ...identifier, disposition, matched_chatters: matched, reason }
  })
}

/** `nobody@…` and IDs that end in 0404 are unknown; `everybody@…` and IDs that end in 0413 match too many. */
function foundBy({
  type,
  value,
}: Identifier): [Disposition['disposition'], matched: number, reason?: string | null] {
  if (type === 'email' && !/^[^@\s]+@[^@\s]+\.[^@\s.]+$/.test(value))
    return ['invalid', 0, 'Not a valid email address']
  if (/^nobody@|0404$/.test(value))
    return ['not_found', 0, type === 'email' ? null : 'No end user matches this identifier']
  if (/^everybody@|0413$/.test(value)) return ['exceeds_limit', 5_000, 'Matches too many end users']
  return ['accepted', 1]
}
