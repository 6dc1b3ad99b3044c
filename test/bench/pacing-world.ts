import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Pool } from 'undici'
import type { CallResult } from '../../src/pacing/breaker.js'
import type { Ledger } from '../../src/pacing/ledger.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { RateWindows, type WindowKind } from '../../src/sandbox/windows.js'
import { noQuota, type RateWindow } from '../../src/settings/limits.js'
import { systemClock } from '../../src/system/clock.js'

/** The servers that the pacing benchmark calls, and our way of calling them. `--quick` shrinks the windows. */

const isQuick = process.argv.includes('--quick')
export const windows: RateWindow[] = isQuick
  ? [
      { max: 30, perMs: 500 },
      { max: 300, perMs: 8000 },
    ]
  : [
      { max: 30, perMs: 1000 },
      { max: 300, perMs: 60_000 },
    ]
export const calls = isQuick ? 390 : 590
/** Each way. */
const [latencyMinMs, latencyMaxMs] = isQuick ? [1, 20] : [5, 500]
const latencyMs = (latencyMinMs + latencyMaxMs) / 2

export const windowKinds: readonly WindowKind[] = ['sliding', 'fixed', 'bucket']

/** A server that enforces the windows, tells what is left of them, and is over when `calls` calls have come through. */
export async function startServer(kind: WindowKind, calls: number) {
  const judge = new RateWindows(windows, kind)
  const accepted = new Map<string, number>()
  let total = 0
  const rejected = new Map<string, number>()
  let firstMs = 0
  let lastMs = 0
  const server = createServer(async (request, response) => {
    request.resume()
    firstMs ||= performance.now()
    await delay(randomInt(latencyMinMs, latencyMaxMs + 1))
    const judgement = judge.judge(performance.now())
    const client = String(request.headers['x-client'])
    const isOver = total >= calls
    if (judgement.isOver) rejected.set(client, (rejected.get(client) ?? 0) + 1)
    else if (!isOver) {
      total++
      accepted.set(client, (accepted.get(client) ?? 0) + 1)
    }
    await delay(randomInt(latencyMinMs, latencyMaxMs + 1))
    if (!isOver) lastMs = performance.now()
    const headers = judgement.isOver
      ? {}
      : { 'x-ratelimit-limit': judgement.quota!.limit, 'x-ratelimit-remaining': judgement.quota!.remaining }
    response
      .writeHead(judgement.isOver ? 429 : 200, { ...headers, ...(isOver ? { 'x-over': 1 } : {}) })
      .end('{}')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** By client: calls that were over a window. */
    rejected: () => rejected,
    /** By client: calls that came through. */
    accepted: () => accepted,
    /** From the first arrival to the last answer that counted. */
    wallMs: () => lastMs - firstMs,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

export type Call = () => Promise<{
  status: number
  limit: number | null
  remaining: number | null
  isOver: boolean
}>

/** Calls a server in the name of a client. */
export function openClient(url: string, client: string): { call: Call; close: () => Promise<void> } {
  const pool = new Pool(url, { connections: 128 })
  return {
    async call() {
      const { statusCode, headers, body } = await pool.request({
        path: '/',
        method: 'POST',
        body: '{}',
        headers: { 'x-client': client },
      })
      await body.dump()
      const number = (name: string) => (headers[name] === undefined ? null : Number(headers[name]))
      return {
        status: statusCode,
        limit: number('x-ratelimit-limit'),
        remaining: number('x-ratelimit-remaining'),
        isOver: headers['x-over'] !== undefined,
      }
    },
    close: () => pool.close(),
  }
}

export const concurrency = 64

/** Our limiter, for so many calls or until the server is over or `over` aborted. */
export async function callPaced(
  ledger: Ledger,
  call: Call,
  most: number,
  share = 1,
  over = new AbortController(),
): Promise<void> {
  const limiter = openLimiter({
    ledger,
    limits: windows,
    caps: [],
    share,
    concurrency,
    holdMs: 30_000,
    clock: systemClock,
    random: Math.random,
  })
  const { signal } = over
  await inFlight(most, async (itemKey) => {
    if (signal.aborted) return 'over'
    const send = async (): Promise<CallResult> => {
      const { status, limit, remaining, isOver } = await call()
      if (isOver) over.abort()
      const quota = { ...noQuota, limit, remaining, retryAfterMs: status === 429 ? 1000 : null }
      return { kind: status === 429 ? 'rate_limited' : 'ok', quota, message: '' }
    }
    await limiter
      .schedule({ isRetry: false, itemKey, signal }, send, (result) => result)
      .catch((error) => {
        if (!signal.aborted) throw error
      })
    return
  })
  await limiter.close()
}

export async function inFlight(calls: number, work: (item: number) => Promise<unknown>): Promise<void> {
  let next = 0
  const worker = async () => {
    while (next < calls && (await work(next++)) !== 'over');
  }
  await Promise.all(Array.from({ length: 2 * concurrency }, worker))
}

/**
 * Groups of calls, each one window and one mean latency (there and back) after the one before; the run ends with
 * the slowest answer to the last group.
 */
export function floorMs(calls: number): number {
  const [short, long] = windows as [RateWindow, RateWindow]
  const lastGroup = (calls - 1) % long.max
  const longTurns = Math.floor((calls - 1) / long.max) * (long.perMs + 2 * latencyMs)
  return longTurns + Math.floor(lastGroup / short.max) * (short.perMs + 2 * latencyMs) + 2 * latencyMaxMs
}
