import { hash } from 'node:crypto'
import { firstHead } from '../checkpoint/log.js'

/** A line as the chain sees it. */
interface Link {
  number: number
  /** The hash that it names as that of the line before; null when it names none. */
  prev: string | null
  hash: string
}

const tail = /,"prev":"([0-9a-f]{64})"\}$/

/**
 * Follows the hashes from line to line. Where a line does not fit, the lines around it tell what kind of edit it
 * looks like.
 */
export class Chain {
  #last: Link = { number: 0, prev: null, hash: firstHead }
  /** The first line that does not fit, with the one before it, until the next line has been seen. */
  #misfit: { before: Link; misfit: Link } | null = null
  #fault: string | null = null
  #misfits = 0

  /** Takes the next line, its line end included, and its text without; returns its hash. */
  add(line: Buffer, text: string): string {
    const before = this.#last
    const link = { number: before.number + 1, prev: prevOf(text, before.hash), hash: hash('sha256', line) }
    if (this.#misfit !== null) this.#explain(link)
    if (link.prev !== before.hash) {
      this.#misfits += 1
      if (this.#misfits === 1) this.#misfit = { before, misfit: link }
    }
    this.#last = link
    return link.hash
  }

  get head(): string {
    return this.#last.hash
  }

  get lines(): number {
    return this.#last.number
  }

  /** The first line that does not fit, and what seems to have been done to it; null when all fit. After the last line. */
  fault(): string | null {
    if (this.#misfit !== null) this.#explain(null)
    if (this.#fault === null || this.#misfits === 1) return this.#fault
    return `${this.#fault} (${this.#misfits} lines in all do not fit)`
  }

  #explain(next: Link | null): void {
    const { before, misfit } = this.#misfit!
    this.#misfit = null
    this.#fault = `line ${misfit.number} ${whatHappened(before, misfit, next)}`
  }
}

/** Most lines name the hash that is expected, and that is quickly seen. */
function prevOf(text: string, expected: string): string | null {
  return text.endsWith(`,"prev":"${expected}"}`) ? expected : (tail.exec(text)?.[1] ?? null)
}

function whatHappened(before: Link, misfit: Link, next: Link | null): string {
  const { number } = misfit
  if (misfit.hash === before.hash) return `is a copy of line ${before.number}`
  if (next?.prev === before.hash) {
    return misfit.prev === next.hash
      ? `and line ${next.number} have changed places`
      : `was added: line ${next.number} follows ${number === 1 ? 'nothing' : `line ${before.number}`}, as if it were not there`
  }
  if (misfit.prev === null) return 'was changed or cut short: it does not end with the hash of a line before'
  if (next !== null && next.prev !== misfit.hash) return 'was changed: neither side of it fits any more'
  if (number === 1) return 'names a line before it: the first lines are gone'
  const suspect = next === null ? `line ${before.number} or ${number}` : `line ${before.number}`
  return `does not follow line ${before.number}: ${suspect} was changed, or lines between them are gone`
}
