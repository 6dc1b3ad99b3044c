import type { Item, Outcome } from '../item.js'
import type { ApiAnswer, Batch, BatchOperation, Verdict } from '../job.js'
import { type Identifier, type IdentifierFlags, identifierOf } from '../sources/identifier.js'
import { cleanMessage } from '../system/text.js'
import { settledBy, verdictOf } from './answer.js'
import { otherLimits } from './limits.js'

/** A thousand dispositions with their reasons, and some more. */
const answerBytesMax = 4 * 1024 * 1024

/**
 * Erases end users: `POST /api/v2/end-users/delete`, then `GET /api/v2/jobs/{job_id}` until the job is over, which may
 * take 30 days. The job's flags say by which kind of identifier.
 */
export const eraseEndUsers: BatchOperation = withFlags({})

function withFlags(flags: IdentifierFlags): BatchOperation {
  const identifiersOf = ({ items }: Batch) => items.map((item) => usableOf(item, flags))
  return {
    name: 'erase-end-users',
    verb: 'erase all personal data of',
    noun: 'end user',
    warning:
      'Ada erases every conversation, profile and variable that belongs to them, past and present, and nobody can bring them back.',
    area: 'end-users',
    limits: otherLimits,
    itemsMax: 1000,
    bytesMax: 512 * 1024,
    // Ada says a day. An hour less, as clocks differ.
    repeatableMs: 23 * 3_600_000,
    bytesOfFrame: Buffer.byteLength(JSON.stringify(bodyOf([], 'r'.repeat(64)))),
    bytesOf: (item) => Buffer.byteLength(JSON.stringify(usableOf(item, flags))) + 1,
    identityOf(item) {
      const { type, value, variable } = usableOf(item, flags)
      // Ada ignores the case of emails and external IDs; to ignore it everywhere does no harm.
      return JSON.stringify([type, value.toLowerCase(), variable ?? null])
    },
    withFlags,
    async submit(batch, api, attempt) {
      const body = bodyOf(identifiersOf(batch), batch.reference)
      const answer = await api.call({
        method: 'POST',
        path: '/api/v2/end-users/delete',
        body,
        signal: attempt.abortSignal,
      })
      const { job_id: job, errors } = fieldsOf(answer)
      if (answer.kind !== 'answer' || answer.status < 200 || answer.status > 299)
        return { verdict: verdictOf(answer, 'accepted'), job: null }
      // Documented is a 202.
      if (typeof job === 'string' && usableJob.test(job) && errors === undefined && !answer.isBroken)
        return { verdict: settledBy(answer, { status: 'succeeded', reason: 'accepted', message: '' }), job }
      return { verdict: unclear(verdictOf(answer, 'accepted'), 'an answer without a job_id'), job: null }
    },
    async ask(job, batch, api, attempt) {
      const answer = await api.call({
        method: 'GET',
        path: `/api/v2/jobs/${encodeURIComponent(job.replaceAll(/\p{Cs}/gu, '\ufffd'))}`,
        signal: attempt.abortSignal,
        bodyBytesMax: answerBytesMax,
      })
      const verdict = verdictOf(answer, 'asked')
      if (answer.kind !== 'answer' || verdict.kind !== 'settled') return { verdict, outcomes: null }
      if (verdict.outcome.status !== 'succeeded') {
        // The job is not known, or no longer.
        const outcome = { ...verdict.outcome, status: 'unknown', reason: 'job_lost' } as const
        return { verdict, outcomes: batch.items.map(() => outcome) }
      }
      const { status, identifiers, failure_reason } = fieldsOf(answer)
      if (status === 'failed') {
        const message = `${job}: ${typeof failure_reason === 'string' ? failure_reason : 'no reason given'}`
        const failed = { status: 'failed', reason: 'job_failed', message: cleanMessage(message) } as const
        return { verdict, outcomes: batch.items.map(() => ({ ...failed, httpStatus: 200 })) }
      }
      if (status !== 'completed' && status !== 'partial') return { verdict, outcomes: null }
      return { verdict, outcomes: outcomesOf(identifiersOf(batch), identifiers) }
    },
  }
}

/** Safe in a path: no half characters, and no dots that climb. */
const usableJob = /^(?!\.{1,2}$)[^\p{C}\s]{1,1000}$/u

/** A filter has turned away the items without one. */
function usableOf(item: Item, flags: IdentifierFlags): Identifier {
  const identifier = identifierOf(item, flags)
  if ('problem' in identifier) throw new Error(identifier.problem)
  return identifier
}

function bodyOf(identifiers: readonly Identifier[], reference: string): object {
  return { identifiers, client_reference: reference }
}

function fieldsOf(answer: ApiAnswer): Record<string, unknown> {
  const body = answer.kind === 'answer' ? answer.body : null
  return typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {}
}

/** A success without a job_id is a lost answer: the batch may be taken. */
function unclear(verdict: Verdict, message: string): Verdict {
  const outcome = { ...verdict.outcome, status: 'unknown', reason: 'unconfirmed', message } as const
  return { kind: 'again', cause: 'lost', quota: verdict.quota, outcome }
}

type Disposition = Readonly<Record<string, unknown>>

/** The outcome of each identifier, by its disposition in the job. */
function outcomesOf(asked: readonly Identifier[], said: unknown): Outcome[] {
  const byKey = new Map<string, Disposition[]>()
  for (const disposition of Array.isArray(said) ? said.filter(isDisposition) : []) {
    const key = keyOf(disposition)
    const others = byKey.get(key)
    if (others === undefined) byKey.set(key, [disposition])
    else others.push(disposition)
  }
  // An identifier that was submitted twice has two dispositions, in the same order.
  return asked.map((identifier) => outcomeOf(byKey.get(keyOf({ ...identifier }))?.shift()))
}

/** With a value that can be compared. */
function isDisposition(said: unknown): said is Disposition {
  const { type, value, variable = null } = (said ?? {}) as Disposition
  const isWord = (part: unknown) => typeof part === 'string' || typeof part === 'number'
  return isWord(type) && isWord(value) && (variable === null || isWord(variable))
}

function keyOf({ type, value, variable }: Disposition): string {
  return JSON.stringify([type, String(value).trim().toLowerCase(), variable ?? null])
}

function outcomeOf(said: Disposition | undefined): Outcome {
  const outcome = (status: Outcome['status'], reason: string, message = said?.reason): Outcome => ({
    status,
    reason,
    httpStatus: 200,
    message: typeof message === 'string' ? cleanMessage(message) : '',
  })
  const { disposition, matched_chatters: matched } = said ?? {}
  switch (disposition) {
    case 'accepted':
      // More than one is worth a look: an identifier may stand for many.
      return outcome(
        'succeeded',
        'erased',
        typeof matched === 'number' ? `end users matched: ${matched}` : '',
      )
    case 'not_found':
      // There is no data to erase, as requested.
      return outcome('succeeded', 'no_such_user')
    case 'duplicate':
      return outcome('duplicate', 'duplicate')
    case 'invalid':
      return outcome('failed', 'rejected')
    case 'exceeds_limit':
      return outcome('failed', 'exceeds_limit')
    case undefined:
      return outcome('unknown', 'no_disposition', 'the job is over and says nothing about this identifier')
    default: {
      const word = typeof disposition === 'string' ? cleanMessage(disposition, 60) : 'not a word'
      return outcome('unknown', 'new_disposition', word)
    }
  }
}
