import { randomBytes } from 'node:crypto'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { type RedisConnection, RedisError } from '../system/redis.js'
import { LedgerUnavailableError } from './ledger.js'
import { ledgerScript } from './redis-script.js'

export interface RecordOptions {
  connection: Pick<RedisConnection, 'script'>
  /** Folder-like name of the instance; a cluster keeps both keys on one node by it. */
  name: string
  clock: Clock
  /** The script, for tests. */
  script?: string
}

export interface Wanted {
  token: string
  windows: readonly RateWindow[]
  holdMs: number
}

export interface Answer {
  taken: number
  /** Empty when the place was taken (or none was wanted), else `blind`, `closed`, or the number of the full window. */
  obstacle: string
  waitMs: number
  onRecord: number[]
}

/** More ends of calls than these are left to their holds. */
const endsMax = 1000

/** The calls on record in Redis, and what this process has to tell of its own as soon as Redis can be reached. */
export class RedisRecord {
  readonly #clock: Clock
  readonly #run: (...args: (string | number)[]) => Promise<unknown>
  readonly #keys: string[]
  /** By token: when the call ended by our clock; null when it never left. */
  readonly #ends = new Map<string, number | null>()
  #closedUntilMs = Number.NEGATIVE_INFINITY
  /** Which visit was ours last, in the record's words. After `keptUntilMs` it may have expired: then it was never met. */
  #seen: { words: string[]; atMs: number; keptUntilMs: number } | null = null

  constructor({ connection, name, clock, script = ledgerScript() }: RecordOptions) {
    this.#clock = clock
    this.#keys = [`ada-bulk:{${name}}:calls`, `ada-bulk:{${name}}:state`]
    this.#run = connection.script('adaBulkLedger', script, this.#keys.length)
  }

  /** To be told with the next visit. */
  end(token: string, atMs: number | null): void {
    if (this.#ends.size < endsMax) this.#ends.set(token, atMs)
  }

  closeUntil(atMs: number): void {
    this.#closedUntilMs = Math.max(this.#closedUntilMs, atMs)
  }

  /** Tells what there is to tell, and takes a place if one is wanted. Rejects with `LedgerUnavailableError`. */
  async visit(wanted: Wanted | null): Promise<Answer> {
    const nowMs = this.#clock.monotonicMs()
    const seen = this.#seen && this.#seen.keptUntilMs > nowMs ? this.#seen : null
    const ends = [...this.#ends]
    this.#ends.clear()
    const reply = await this.#run(
      ...this.#keys,
      `epoch ${randomBytes(8).toString('hex')}`,
      ...(seen ? [...seen.words, (nowMs - seen.atMs).toFixed(3)] : ['', '', '', '']),
      ends.length,
      ...ends.flatMap(([token, atMs]) => [token, atMs === null ? '' : (nowMs - atMs).toFixed(3)]),
      Math.max(0, this.#closedUntilMs - nowMs).toFixed(3),
      ...(wanted ? [wanted.token, wanted.holdMs, wanted.windows.length] : ['']),
      ...(wanted?.windows.flatMap(({ max, perMs }) => [max, perMs]) ?? []),
    ).catch((error) => {
      for (const [token, atMs] of ends) this.end(token, atMs)
      throw error instanceof RedisError ? new LedgerUnavailableError(error.message) : error
    })
    if (!isReply(reply))
      throw new LedgerUnavailableError(
        'Redis gives an answer that is none of ours: see that --redis-url leads to a Redis.',
      )
    const [epoch, visit, serverMs, liveMs, taken, obstacle, waitMs, ...onRecord] = reply as [
      string,
      ...string[],
    ]
    this.#seen = {
      words: [epoch, visit!, serverMs!],
      // The time of the answer, not of the question: so what passes until the next visit is never overrated.
      atMs: this.#clock.monotonicMs(),
      keptUntilMs: nowMs + Number(liveMs),
    }
    return {
      taken: Number(taken),
      obstacle: obstacle!,
      waitMs: Number(waitMs),
      onRecord: onRecord.map(Number),
    }
  }
}

/** Words and numbers, as the script gives them. */
function isReply(reply: unknown): reply is string[] {
  if (!Array.isArray(reply) || reply.length < 7) return false
  const [epoch, visit, serverMs, liveMs, taken, obstacle, waitMs, ...onRecord] = reply
  const isText = [epoch, visit, serverMs, obstacle].every(
    (part) => typeof part === 'string' || typeof part === 'number',
  )
  return (
    isText &&
    [liveMs, taken, waitMs, ...onRecord].every((part) => part !== null && Number.isFinite(Number(part)))
  )
}
