import { describe } from 'vitest'
import { type Ledger, LedgerUnavailableError, type Slot, type Taken } from '../../src/pacing/ledger.js'
import { openRedisLedger } from '../../src/pacing/redis.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { UsageError } from '../../src/system/errors.js'
import { type RedisConnection, RedisError } from '../../src/system/redis.js'
import { startRedisForFile } from '../system/for-file.js'
import { hasRedis, type RedisServer } from '../system/server.js'
import { scriptOnFakeTime, withServer } from './fake-redis-time.js'
import { holdMs, Killed, testModel } from './ledger-model.js'
import { seededRandom } from './seeded-random.js'

interface Process {
  ledger: Ledger | null
  isDead: boolean
  isBusy: boolean
  calls: { endMs: number; slot: Slot }[]
  triesAtMs: number
  /** It has heard from the ledger, and what it heard then still means something. */
  knowsUntilMs: number
  /** How often the server's clock had been set when it heard that. */
  clockSets: number
  monotonicOffsetMs: number
}

const lastsMs = 1_500_000
const noCounts = {
  ...{ kills: 0, freezes: 0, lostRequests: 0, lateRequests: 0, lostReplies: 0, between: 0 },
  ...{ emptyRestarts: 0, oldRestarts: 0, flushes: 0, evictions: 0, clockForward: 0, clockBack: 0 },
}

let server: RedisServer
let connection: RedisConnection
startRedisForFile((...started) => {
  ;[server, connection] = started
})

/** Simulates several processes on one ledger. */
async function play(seed: number, windows: readonly RateWindow[]) {
  const random = seededRandom(seed)
  const within = (max: number) => Math.floor(random() * max)
  const counts = { ...noCounts }
  const arrivals: number[] = []
  const instance = `seed-${seed}`
  let keys: string[] = []
  let nowMs = 0
  const redis = { id: 0, startedMs: -86_400_000, clockMs: 1_700_000_000_000 }
  /** Something happened that only a process that knows the ledger can notice, and it has to come first. */
  let isSecret = false
  let clockSets = 0
  let depth = 0
  const late: (() => Promise<unknown>)[] = []
  const processes: Process[] = Array.from({ length: 4 }, () => newProcess())

  function newProcess(): Process {
    const fresh = { ledger: null, isDead: false, isBusy: false, calls: [], knowsUntilMs: 0, clockSets: 0 }
    return { ...fresh, triesAtMs: nowMs + within(20_000), monotonicOffsetMs: within(1_000_000) }
  }

  const knowing = () =>
    processes.filter(({ isDead, isBusy, knowsUntilMs }) => !isDead && !isBusy && knowsUntilMs > nowMs)

  /** Time passes: the process dies or freezes, or others act. */
  async function timePasses(self: Process): Promise<void> {
    nowMs += within(random() < 0.02 ? 5000 : 200)
    const dice = random()
    if (dice < 0.003 && !isSecret) {
      self.isDead = true
      counts.kills++
    } else if (dice < 0.01) {
      counts.freezes++
      nowMs += within(2 * holdMs)
    } else if (dice < 0.2 && depth < 3) {
      const others = processes.filter(({ isBusy, isDead }) => !isBusy && !isDead)
      const other = others[within(others.length)]
      if (other) {
        counts.between++
        depth++
        await act(other)
        depth--
      }
    }
    if (self.isDead) throw new Killed()
  }

  const journey = (self: Process) => async (visit: () => Promise<unknown>) => {
    await timePasses(self)
    const dice = random()
    if (dice < 0.01 || (isSecret && self.knowsUntilMs <= nowMs)) {
      counts.lostRequests++
      throw new RedisError('lost on the way')
    }
    if (dice < 0.02) {
      counts.lateRequests++
      late.push(visit)
      throw new RedisError('timed out')
    }
    const reply = await visit()
    isSecret = false
    await timePasses(self)
    if (random() < 0.02) {
      counts.lostReplies++
      throw new RedisError('lost on the way back')
    }
    self.knowsUntilMs = nowMs + 300_000
    self.clockSets = clockSets
    return reply
  }

  async function inside(self: Process, work: () => Promise<unknown>): Promise<void> {
    self.isBusy = true
    try {
      await work()
    } catch (error) {
      if (error instanceof UsageError) self.isDead = true
      else if (!(error instanceof Killed || error instanceof LedgerUnavailableError)) throw error
    }
    self.isBusy = false
  }

  async function act(self: Process): Promise<void> {
    const { ledger } = self
    const answered = self.calls.findIndex(({ endMs }) => endMs <= nowMs)
    if (!ledger) await inside(self, () => open(self))
    else if (answered >= 0) {
      const [call] = self.calls.splice(answered, 1)
      await inside(self, () => call!.slot.giveBack())
    } else if (self.triesAtMs <= nowMs) {
      await inside(self, async () => call(self, await ledger.take(windows, holdMs)))
    }
  }

  async function open(self: Process): Promise<void> {
    const clock = {
      monotonicMs: () => nowMs + self.monotonicOffsetMs,
      wallMs: () => 0,
      sleep: () => Promise.reject(new Error('A ledger never waits')),
    }
    const state = () => ({
      nowMs: nowMs + redis.clockMs,
      uptimeMs: Math.max(0, nowMs - redis.startedMs),
      id: String(redis.id),
    })
    const through = withServer(connection, state, journey(self))
    self.ledger = await openRedisLedger({ connection: through, instance, clock, script: scriptOnFakeTime })
  }

  async function call(self: Process, taken: Taken): Promise<void> {
    const { slot } = taken
    if (!slot) self.triesAtMs = nowMs + Math.min(taken.waitMs, 1000 + within(60_000))
    else if (random() < 0.03) await slot.release()
    else {
      // Arrives at some moment between the start and the answer, whether its process lives or not.
      const lastsMs = within(random() < 0.1 ? 0.9 * holdMs : 5000)
      arrivals.push(nowMs + random() * lastsMs)
      self.calls.push({ endMs: nowMs + lastsMs, slot })
      self.triesAtMs = nowMs + within(2000)
    }
  }

  let old: (Buffer | null)[] = []
  async function restart(isWithOldData: boolean): Promise<void> {
    redis.id++
    redis.startedMs = nowMs
    await server.client.del(keys)
    for (const [index, content] of old.entries()) {
      if (isWithOldData && content) await server.client.restore(keys[index]!, 600_000, content)
    }
  }

  async function happen(): Promise<void> {
    const dice = random() / 0.01
    if (keys.length < 2) keys = (await server.client.keys(`ada-bulk:{${instance}-*`)).sort()
    if (dice > 1 || keys.length < 2) return
    if (dice < 0.1) {
      counts.emptyRestarts++
      await restart(false)
    } else if (dice < 0.2) {
      counts.oldRestarts++
      await restart(true)
    } else if (dice < 0.3) {
      counts.evictions++
      await server.client.del(keys[0]!)
    } else if (dice < 0.5) {
      old = [await server.client.dumpBuffer(keys[0]!), await server.client.dumpBuffer(keys[1]!)]
    } else if (dice < 0.7) {
      counts.clockBack++
      clockSets++
      redis.clockMs -= within(random() < 0.5 ? 3000 : 7_200_000)
    } else if (knowing().length > 0 && dice < 0.9) {
      // Two steps that nearly cancel each other, together less than a second, are one that is too small to notice.
      if (processes.some((self) => self.knowsUntilMs > 0 && self.clockSets < clockSets)) return
      counts.clockForward++
      clockSets++
      redis.clockMs += 1001 + within(random() < 0.5 ? 3000 : 7_200_000)
      isSecret = true
    } else if (knowing().length > 0) {
      counts.flushes++
      await server.client.del(keys)
      isSecret = true
    }
    for (const self of knowing()) if (isSecret) await inside(self, () => self.ledger!.blockFor(0))
  }

  while (nowMs < lastsMs) {
    nowMs += 1 + within(2000)
    await happen()
    for (const [index, process] of processes.entries()) {
      if (process.isDead) processes[index] = newProcess()
      if (random() < 0.7) await act(processes[index]!)
    }
    if (late.length > 0 && random() < 0.5 && !isSecret) await late.shift()!()
  }
  return { arrivals, counts }
}

describe.runIf(hasRedis)('with Redis', () => testModel('the ledger in Redis, whatever happens', 30, play))
