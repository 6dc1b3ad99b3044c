import { type ChildProcess, fork } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { RateWindow } from '../../src/settings/limits.js'

/** What the server does besides ending conversations. */
export interface Rules {
  /** Sliding ones that it enforces. */
  windows: readonly RateWindow[]
  /** The conversations with a number that 10 divides are answered with 404. */
  isEveryTenthMissing: boolean
}

export interface Counts {
  arrivals: number
  /** Conversations ended at least once. */
  ended: number
  /** Calls for a conversation that had been ended before. */
  doubles: number
  rejected: number
  /** When the first conversation since the mark was ended for the first time. */
  firstNewAtMs: number | null
}

const quietMs = 500

/** A server of its own process that every tool of a benchmark calls. */
export class LocalAda {
  readonly #process: ChildProcess
  readonly url: string

  private constructor(process: ChildProcess, port: number) {
    this.#process = process
    this.url = `http://127.0.0.1:${port}`
  }

  static async start(): Promise<LocalAda> {
    const server = fork(join(import.meta.dirname, 'server.js'))
    return new LocalAda(server, await new Promise((resolve) => server.once('message', resolve)))
  }

  reset(rules: Partial<Rules> = {}): Promise<Counts> {
    return this.#ask('reset', JSON.stringify({ windows: [], isEveryTenthMissing: false, ...rules }))
  }

  counts(): Promise<Counts> {
    return this.#ask('stats')
  }

  mark(): Promise<Counts> {
    return this.#ask('mark')
  }

  /** How many of these were never ended. */
  missing(ids: readonly string[]): Promise<number> {
    return this.#ask('missing', ids.join('\n'))
  }

  async untilEnded(count: number, isOver: () => boolean): Promise<void> {
    while (!isOver() && (await this.counts()).ended < count) await delay(10)
  }

  /** A killed tool may leave calls behind that processes of its own make. */
  async untilQuiet(): Promise<void> {
    for (let before = -1, now = 0; before !== now; before = now, now = (await this.counts()).arrivals) {
      await delay(quietMs)
    }
  }

  stop(): void {
    this.#process.disconnect()
  }

  async #ask<T>(what: string, body = ''): Promise<T> {
    return (await fetch(`${this.url}/${what}`, { method: 'POST', body })).json() as Promise<T>
  }
}

export function idOf(number: number): string {
  return `66f2a9${number.toString(16).padStart(18, '0')}`
}

/** From 1 on. */
export function idsTo(count: number): string[] {
  return Array.from({ length: count }, (_, index) => idOf(index + 1))
}

/** A list as every tool can read it: a CSV with a header, and lines. */
export interface List {
  csv: string
  lines: string
}

export function writeList(directory: string, ids: readonly string[]): List {
  const list = { csv: join(directory, 'ids.csv'), lines: join(directory, 'ids.txt') }
  const lines = `${ids.join('\n')}\n`
  writeFileSync(list.lines, lines)
  writeFileSync(list.csv, `conversation_id\n${lines}`)
  return list
}
