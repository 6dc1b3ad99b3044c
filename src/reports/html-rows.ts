import { type SettledItem, statuses } from '../item.js'

/** More rows than that are no longer looked through by hand. */
export const rowsMax = 100_000
/** A cell of the input may be a mebibyte. */
const longestText = 300

/**
 * The rows of the page's table as JSON: every item, or, where these are too many, those that need a person. Texts
 * that come up again and again stand in `strings` once.
 */
export class ReportRows {
  readonly baseMs: number
  readonly #strings = new Map<string, number>()
  #all: string[] = []
  #troubled: string[] = []
  #settled = 0
  #troubles = 0

  constructor(baseMs: number) {
    this.baseMs = baseMs
  }

  add(item: SettledItem, finishedMs: number): void {
    const isTrouble = item.status === 'failed' || item.status === 'unknown' || item.status === 'invalid'
    this.#settled += 1
    if (isTrouble) this.#troubles += 1
    if (this.isCut) this.#all = []
    const isKept = isTrouble && this.#troubled.length < rowsMax
    if (this.isCut && !isKept) return
    const row = this.#rowOf(item, finishedMs)
    if (!this.isCut) this.#all.push(row)
    if (isKept) this.#troubled.push(row)
  }

  /** Whether there are too many items to show them all. */
  get isCut(): boolean {
    return this.#settled > rowsMax
  }

  /** How many of those that need a person are not shown either. */
  get troublesLeftOut(): number {
    return this.#troubles - this.#troubled.length
  }

  get shown(): readonly string[] {
    return this.isCut ? this.#troubled : this.#all
  }

  get strings(): readonly string[] {
    return [...this.#strings.keys()]
  }

  /** The fields in the order in which the page's script reads them. */
  #rowOf(item: SettledItem, finishedMs: number): string {
    return JSON.stringify([
      cut(item.id),
      statuses.indexOf(item.status),
      this.#numberOf(item.reason),
      item.httpStatus,
      item.attempts,
      finishedMs - this.baseMs,
      item.durationMs,
      this.#numberOf(item.message),
      this.#numberOf(item.source),
      item.line,
    ])
  }

  #numberOf(text: string): number {
    const short = cut(text)
    const known = this.#strings.get(short)
    if (known !== undefined) return known
    this.#strings.set(short, this.#strings.size)
    return this.#strings.size - 1
  }
}

function cut(text: string): string {
  return text.length > longestText ? `${text.slice(0, longestText - 1)}…` : text
}
