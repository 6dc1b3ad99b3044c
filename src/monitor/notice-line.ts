import { messageOf } from '../system/text.js'
import type { Notice, RunNews } from './notifier.js'

/**
 * What one notice is still to tell, one after the other: a check that heard the end before the start would believe
 * that the run goes on. A notice that fails says so when it begins to; it never throws.
 */
export class NoticeLine {
  readonly notice: Notice
  readonly #onFault: (text: string, isFirst: boolean) => void
  #waiting = 0
  #fault = ''
  #hasFailed = false
  /** Resolves when everything is told, or was given up. */
  last: Promise<void> = Promise.resolve()

  constructor(notice: Notice, onFault: (text: string, isFirst: boolean) => void) {
    this.notice = notice
    this.#onFault = onFault
  }

  get isBusy(): boolean {
    return this.#waiting > 0
  }

  tell(news: RunNews, signal: AbortSignal): void {
    this.#waiting += 1
    this.last = this.last
      .then(() => this.notice.tell(news, signal))
      .then(() => '', messageOf)
      .then((fault) => this.#told(fault))
  }

  #told(fault: string): void {
    this.#waiting -= 1
    if (fault !== '' && fault !== this.#fault) {
      this.#onFault(`${this.notice.name}: ${fault}`, !this.#hasFailed)
      this.#hasFailed = true
    }
    this.#fault = fault
  }
}
