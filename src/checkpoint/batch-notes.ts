import type { EarlierCalls } from '../item.js'
import type { Bitset } from './bitset.js'

/**
 * What happens to a batch, as a line of the checkpoint. `sent` stands there before the call leaves, with the places of
 * its items in the input: after a crash the same batch is sent again, under the same reference.
 */
export type BatchNote = { batch: string; at: string } & (
  | { did: 'sent'; n: number[] }
  /** The API took it, and calls what it does by this name. */
  | { did: 'accepted'; job: string }
  /** Answered, or never got there; the API took nothing. */
  | { did: 'returned'; reason: string; http: number | null }
  /** Too large for the API: its items are sent in smaller batches. */
  | { did: 'split' }
  /** Asked for what became of it. */
  | { did: 'asked' }
  | { did: 'asked in vain'; reason: string; http: number | null }
)

/** A batch that was sent, and not all of its items are settled. */
export interface OpenBatch extends EarlierCalls {
  reference: string
  ordinals: readonly number[]
  /** Null until the API has accepted it. */
  job: string | null
  firstSentAt: string
  back: number
}

interface Standing {
  batches: Map<string, OpenBatch>
  requests: { sent: number; rateLimited: number }
}

/** Takes a note into account. */
export function readBatchNote(note: BatchNote, { batches, requests }: Standing): void {
  const open = batches.get(note.batch)
  if (note.did === 'sent' || note.did === 'asked') requests.sent += 1
  if ('reason' in note && note.reason === 'rate_limited') requests.rateLimited += 1
  if (note.did === 'sent') {
    const { calls, back, firstSentAt } = open ?? { calls: 0, back: 0, firstSentAt: note.at }
    batches.set(note.batch, {
      reference: note.batch,
      ordinals: note.n,
      job: null,
      firstSentAt,
      calls: calls + 1,
      back,
      isAnswerLost: true,
    })
  }
  if (open === undefined) return
  if (note.did === 'accepted') open.job = note.job
  if (note.did === 'returned') open.isAnswerLost = ++open.back < open.calls
  if (note.did === 'split') batches.delete(note.batch)
}

/** Forgets the batches that are settled altogether. */
export function dropSettled(batches: Map<string, OpenBatch>, settled: Pick<Bitset, 'has'>): void {
  for (const [reference, { ordinals }] of batches) {
    if (ordinals.every((ordinal) => settled.has(ordinal))) batches.delete(reference)
  }
}
