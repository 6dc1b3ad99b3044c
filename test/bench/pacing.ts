/**
 * How many calls a server that enforces 30/s and 300/min rejects, and how much of what is possible is used: our
 * limiter beside what people use instead, all side by side in one run. `--quick` shrinks the windows.
 */
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Bottleneck from 'bottleneck'
import { Pool } from 'undici'
import type { Verdict } from '../../src/api/verdict.js'
import { systemClock } from '../../src/clock.js'
import { openFileLedger } from '../../src/pacing/file.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import type { RateWindow } from '../../src/pacing/rate-window.js'

const isQuick = process.argv.includes('--quick')
const windows: RateWindow[] = isQuick
  ? [
      { max: 30, perMs: 500 },
      { max: 300, perMs: 8000 },
    ]
  : [
      { max: 30, perMs: 1000 },
      { max: 300, perMs: 60_000 },
    ]
const manyCalls = isQuick ? 390 : 590
/** For what is so slow that the run would take two minutes. */
const fewerCalls = 390
const [latencyMinMs, latencyMaxMs] = isQuick ? [1, 20] : [5, 500]
const latencyMs = (latencyMinMs + latencyMaxMs) / 2

type ServerKind = 'sliding' | 'fixed' | 'bucket'
type Allows = (nowMs: number) => boolean

/** Each says whether one more call is within the window, and counts it if so. */
const kinds: Record<ServerKind, (window: RateWindow) => Allows> = {
  sliding({ max, perMs }) {
    const arrivals: number[] = []
    return (nowMs) => {
      while (arrivals.length > 0 && arrivals[0]! <= nowMs - perMs) arrivals.shift()
      return arrivals.length < max && arrivals.push(nowMs) > 0
    }
  },
  fixed({ max, perMs }) {
    let windowNumber = 0
    let count = 0
    return (nowMs) => {
      if (Math.floor(nowMs / perMs) !== windowNumber) {
        windowNumber = Math.floor(nowMs / perMs)
        count = 0
      }
      return ++count <= max
    }
  },
  bucket({ max, perMs }) {
    let tokens = max
    let filledMs = performance.now()
    return (nowMs) => {
      tokens = Math.min(max, tokens + ((nowMs - filledMs) * max) / perMs)
      filledMs = nowMs
      if (tokens < 1) return false
      tokens--
      return true
    }
  },
}

async function startServer(kind: ServerKind) {
  const allows = windows.map(kinds[kind])
  let rejected = 0
  const server = createServer(async (request, response) => {
    request.resume()
    await delay(randomInt(latencyMinMs, latencyMaxMs + 1))
    const nowMs = performance.now()
    const isAllowed = allows.map((allow) => allow(nowMs)).every(Boolean)
    if (!isAllowed) rejected++
    await delay(randomInt(latencyMinMs, latencyMaxMs + 1))
    response.writeHead(isAllowed ? 200 : 429).end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const pool = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 128 })
  return {
    async call(): Promise<number> {
      const { statusCode, body } = await pool.request({ path: '/', method: 'POST', body: '{}' })
      await body.dump()
      return statusCode
    },
    rejected: () => rejected,
    async close() {
      await pool.close()
      server.close()
    },
  }
}

/** Makes all calls, one way or another. */
type Contender = (call: () => Promise<number>, calls: number, name: string) => Promise<void>

const concurrency = 64
const state = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))

const ours: Contender = async (call, calls, name) => {
  const ledger = await openFileLedger({ directory: state, instance: name, clock: systemClock })
  const limiter = openLimiter({
    ledger,
    windows,
    share: 1,
    concurrency,
    holdMs: 30_000,
    clock: systemClock,
    random: Math.random,
  })
  const { signal } = new AbortController()
  await inFlight(calls, (itemKey) =>
    limiter.schedule({ isRetry: false, itemKey, signal }, async () => verdictOf(await call())),
  )
  await limiter.close()
  await ledger.close()
}

function verdictOf(status: number): Verdict {
  const quota = { retryAfterMs: 1000, limit: null, remaining: null, resetInMs: null }
  const outcome = { status: 'succeeded', reason: 'ended', httpStatus: status, message: '' } as const
  return status === 429 ? { kind: 'rate_limited', quota, outcome } : { kind: 'settled', quota, outcome }
}

const reservoirs: Contender = async (call, calls) => {
  const chain = windows.map(
    ({ max, perMs }) =>
      new Bottleneck({
        maxConcurrent: concurrency,
        reservoir: max,
        reservoirRefreshAmount: max,
        // Bottleneck wants a multiple of 250 ms.
        reservoirRefreshInterval: Math.ceil(perMs / 250) * 250,
      }),
  )
  // The shortest window innermost.
  const [inner, outer] = chain as [Bottleneck, Bottleneck]
  await inFlight(calls, () => outer.schedule(() => inner.schedule(call)))
  await Promise.all(chain.map((limiter) => limiter.disconnect()))
}

const minTime: Contender = async (call, calls) => {
  const slowest = Math.max(...windows.map(({ max, perMs }) => perMs / max))
  const limiter = new Bottleneck({ maxConcurrent: concurrency, minTime: slowest })
  await inFlight(calls, () => limiter.schedule(call))
}

async function inFlight(calls: number, work: (item: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < calls) await work(next++)
  }
  await Promise.all(Array.from({ length: 2 * concurrency }, worker))
}

/**
 * Groups of calls, each one window and one mean latency (there and back) after the one before; the run ends with
 * the slowest answer to the last group.
 */
function floorMs(calls: number): number {
  const [short, long] = windows as [RateWindow, RateWindow]
  const lastGroup = (calls - 1) % long.max
  const longTurns = Math.floor((calls - 1) / long.max) * (long.perMs + 2 * latencyMs)
  return longTurns + Math.floor(lastGroup / short.max) * (short.perMs + 2 * latencyMs) + 2 * latencyMaxMs
}

async function measure(name: string, kind: ServerKind, contender: Contender, calls = manyCalls) {
  const server = await startServer(kind)
  const startMs = performance.now()
  await contender(server.call, calls, `${name}-${kind}`)
  const wallMs = performance.now() - startMs
  await server.close()
  return {
    limiter: name,
    server: kind,
    calls,
    rejected: server.rejected(),
    'wall s': (wallMs / 1000).toFixed(2),
    'floor s': (floorMs(calls) / 1000).toFixed(2),
    ratio: (wallMs / floorMs(calls)).toFixed(3),
  }
}

// Bottleneck does not keep the process alive while its reservoir is empty.
const alive = setInterval(() => {}, 1000)
const runs = (Object.keys(kinds) as ServerKind[]).flatMap((kind) => [
  measure('ada-bulk', kind, ours),
  measure('reservoirs', kind, reservoirs),
  measure('minTime', kind, minTime, fewerCalls),
])
const rows = (await Promise.all(runs)).sort((a, b) => a.limiter.localeCompare(b.limiter))
console.table(rows)
clearInterval(alive)
rmSync(state, { recursive: true, force: true })
const isGood = rows.filter(({ limiter }) => limiter === 'ada-bulk').every((row) => row.rejected === 0)
process.exit(isGood ? 0 : 3)
