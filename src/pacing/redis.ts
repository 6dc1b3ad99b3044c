import { randomBytes } from 'node:crypto'
import type { RateWindow } from '../settings/limits.js'
import type { Clock } from '../system/clock.js'
import { UsageError } from '../system/errors.js'
import type { RedisConnection } from '../system/redis.js'
import { instanceFolder } from './file.js'
import { type Ledger, LedgerUnavailableError, type Place, type Taken } from './ledger.js'
import { RedisRecord } from './redis-record.js'

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
 * A ledger for all processes on all hosts that share a Redis: what is taken and given back there goes through one
 * script, which Redis runs without anything in between. Throws a UsageError when the script cannot run there.
 *
 * When Redis may have lost calls (it started again, another took over, its data were deleted) nobody gets a place
 * until the longest call and the longest window have passed. Two things go unnoticed: data deleted from a server that
 * runs on, when no process is there that has called of late; and a server's clock that is set right before the first
 * call of a new process, which then takes the ledger's time along.
 */
export async function openRedisLedger(options: RedisLedgerOptions): Promise<Ledger> {
  const { clock } = options
  const record = new RedisRecord({ ...options, name: instanceFolder(options.instance) })
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
      // Nobody knows whether it was taken.
      record.end(token, null)
      throw error
    })
    const { obstacle, waitMs, onRecord } = answer
    if (obstacle === 'blind') return { place: null, waitMs, fullWindow: null, isLedgerInDoubt: true }
    if (obstacle === 'closed') return { place: null, waitMs, fullWindow: null }
    if (obstacle !== '') return { place: null, waitMs, fullWindow: windows[Number(obstacle) - 1]! }
    // The hold runs since Redis wrote it down. After a long time on the way, or a freeze, it would end too early.
    if (clock.monotonicMs() - startedMs > holdMs / 10) {
      record.end(token, null)
      return 'late'
    }
    taken = Math.max(taken + 1, answer.taken)
    return { place: placeOf(token), onRecord, taken }
  }

  function placeOf(token: string): Place {
    return {
      giveBack: () => tell(() => record.end(token, clock.monotonicMs())),
      release: () => tell(() => record.end(token, null)),
    }
  }

  /** What Redis does not hear now it hears with the next visit; and if there is none, the hold will end. */
  async function tell(note: () => void): Promise<void> {
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
        `Redis answers too slowly: ${triesMax} places in a row were late when they came.`,
      )
    },
    closeFor: (ms) => tell(() => record.closeUntil(clock.monotonicMs() + ms)),
    close: async () => {},
  }
}

const triesMax = 5
