import { randomBytes } from 'node:crypto'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import { type RedisConnection, RedisError } from '../system/redis.js'
import { instanceFolder, type Ledger, LedgerUnavailableError, type Slot, type Taken } from './ledger.js'
import { ledgerScript } from './redis-script.js'

export interface RedisLedgerOptions {
  /** Stays the caller's. */
  connection: Pick<RedisConnection, 'script'>
  /** Origin of the API. */
  instance: string
  clock: Clock
  /** The script, for tests. */
  script?: string
}

/**
 * A ledger for all processes on all hosts that share a Redis: one script, which Redis runs without anything in
 * between, takes slots and gives them back. Throws a UsageError when the script cannot run there.
 *
 * When Redis may have lost calls (it started again, another server took over, its data were deleted) no process gets a
 * slot until the longest call and the longest window have passed. Two things go unnoticed: data deleted from a server
 * that keeps running, when no process is there that has called recently; and a server's clock that is corrected before
 * the first call of a new process, which then takes the ledger's time along.
 */
export async function openRedisLedger(options: RedisLedgerOptions): Promise<Ledger> {
  const { connection, instance, clock, script = ledgerScript() } = options
  const record = new RedisRecord(connection, instanceFolder(instance), clock, script)
  const writer = randomBytes(6).toString('hex')
  let tokens = 0
  let taken = 0

  await record.visit(null).catch((error) => {
    throw error instanceof LedgerUnavailableError ? new UsageError(error.message) : error
  })

  async function takeOnce(windows: readonly RateWindow[], holdMs: number): Promise<Taken | 'late'> {
    const token = `${writer}-${tokens++}`
    const startedMs = clock.monotonicMs()
    const answer = await record.visit({ token, windows, holdMs }).catch((error) => {
      // The slot may have been taken.
      record.end(token, null)
      throw error
    })
    const { obstacle, waitMs, onRecord } = answer
    if (obstacle === 'blind') return { slot: null, waitMs, fullWindow: null, isLedgerInDoubt: true }
    if (obstacle === 'closed') return { slot: null, waitMs, fullWindow: null }
    if (obstacle !== '') return { slot: null, waitMs, fullWindow: windows[Number(obstacle) - 1]! }
    // The hold runs since Redis recorded it. After a slow answer, or a freeze, it would end too early.
    if (clock.monotonicMs() - startedMs > holdMs / 10) {
      record.end(token, null)
      return 'late'
    }
    taken = Math.max(taken + 1, answer.taken)
    return { slot: slotOf(token), onRecord, taken }
  }

  function slotOf(token: string): Slot {
    return {
      giveBack: () => report(() => record.end(token, clock.monotonicMs())),
      release: () => report(() => record.end(token, null)),
    }
  }

  /** What does not reach Redis now goes along with the next visit; without one, the hold will end. */
  async function report(note: () => void): Promise<void> {
    note()
    try {
      await record.visit(null)
    } catch (error) {
      if (!(error instanceof LedgerUnavailableError)) throw error
    }
  }

  return {
    async take(windows, holdMs) {
      for (let tries = 0; tries < triesMax; tries++) {
        const taken = await takeOnce(windows, holdMs)
        if (taken !== 'late') return taken
      }
      throw new LedgerUnavailableError(
        `Redis answers too slowly: ${triesMax} slots in a row were late when they came.`,
      )
    },
    blockFor: (ms) => report(() => record.blockUntil(clock.monotonicMs() + ms)),
    close: async () => {},
  }
}

const triesMax = 5

/** More ends of calls than these are left to their holds. */
const endsMax = 1000

/** The calls on record in Redis, and what this process has to report as soon as Redis can be reached. */
class RedisRecord {
  readonly #clock: Clock
  readonly #run: (...args: (string | number)[]) => Promise<unknown>
  readonly #keys: string[]
  /** By token: when the call ended by our clock; null when it never left. */
  readonly #ends = new Map<string, number | null>()
  #blockedUntilMs = -Infinity
  /** Our last visit, in the record's words. After `keptUntilMs` the record may have expired, and nothing is known. */
  #seen: { words: string[]; atMs: number; keptUntilMs: number } | null = null

  /** By the folder-like name of the instance a Redis cluster keeps both keys on one node. */
  constructor(connection: Pick<RedisConnection, 'script'>, name: string, clock: Clock, script: string) {
    this.#clock = clock
    this.#keys = [`ada-bulk:{${name}}:calls`, `ada-bulk:{${name}}:state`]
    this.#run = connection.script('adaBulkLedger', script, this.#keys.length)
  }

  /** Goes along with the next visit. */
  end(token: string, atMs: number | null): void {
    if (this.#ends.size < endsMax) this.#ends.set(token, atMs)
  }

  blockUntil(atMs: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, atMs)
  }

  /** Reports what there is to report, and takes a slot if one is wanted. Rejects with `LedgerUnavailableError`. */
  async visit(wanted: { token: string; windows: readonly RateWindow[]; holdMs: number } | null) {
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
      Math.max(0, this.#blockedUntilMs - nowMs).toFixed(3),
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
    const [epoch, visit, serverMs, liveMs, taken, obstacle, waitMs, ...onRecord] = reply
    this.#seen = {
      words: [epoch, visit, serverMs],
      // The time of the answer, not of the question: the time until the next visit is never overestimated.
      atMs: this.#clock.monotonicMs(),
      keptUntilMs: nowMs + Number(liveMs),
    }
    return { taken: Number(taken), obstacle, waitMs: Number(waitMs), onRecord: onRecord.map(Number) }
  }
}

/**
 * Epoch, visit, server's time, how long the record lives, slots taken, obstacle, wait, calls by window. The obstacle
 * is empty when the slot was taken (or none was wanted), else `blind`, `closed`, or the number of the full window.
 */
type Reply = [string, string, string, string, string, string, string, ...string[]]

function isReply(reply: unknown): reply is Reply {
  if (!Array.isArray(reply) || reply.length < 7) return false
  const [epoch, visit, serverMs, liveMs, taken, obstacle, waitMs, ...onRecord] = reply
  const isText = (part: unknown) => typeof part === 'string' || typeof part === 'number'
  const isNumber = (part: unknown) => part !== null && Number.isFinite(Number(part))
  return (
    [epoch, visit, serverMs, obstacle].every(isText) && [liveMs, taken, waitMs, ...onRecord].every(isNumber)
  )
}
