import type { Outcome } from '../item.js'
import type { Verdict } from '../job.js'

/** No conversation has this ID: asking for it changes nothing, and any API that works and takes the key answers. */
export const harmlessPath = '/api/v2/conversations/ada-bulk-doctor/'

/** Tells a key that does not work from an item that the key may not touch, for all calls of a session. */
export class KeyCheck {
  readonly #onRefused: (outcome: Outcome) => void
  #hasWorked = false
  #check: Promise<Verdict> | null = null

  /** `onRefused` is told that the key does not work before the next call can leave. */
  constructor(onRefused: (outcome: Outcome) => void = () => {}) {
    this.#onRefused = onRefused
  }

  /** Only a refusal that a harmless call confirms (`ask`) stays one. */
  async judged(verdict: Verdict, ask: () => Promise<Verdict>): Promise<Verdict> {
    if (verdict.kind !== 'refused') {
      this.#hasWorked ||= isAnswerToKey(verdict)
      return verdict
    }
    const { quota, outcome } = verdict
    const isItem = outcome.reason === 'forbidden'
    if (!(isItem && this.#hasWorked)) {
      this.#check ??= ask().finally(() => {
        this.#check = null
      })
      const answer = await this.#check
      if (answer.kind === 'refused') {
        this.#onRefused(outcome)
        return verdict
      }
      const isClear = isAnswerToKey(answer)
      this.#hasWorked ||= isClear
      if (!isItem || !isClear) return { kind: 'again', cause: 'answered', quota, outcome }
    }
    return { kind: 'settled', quota, outcome }
  }
}

function isAnswerToKey({ kind, outcome: { httpStatus } }: Verdict): boolean {
  return kind === 'settled' && httpStatus !== null && (httpStatus < 300 || httpStatus >= 400)
}
