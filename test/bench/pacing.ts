/**
 * How many calls a server that enforces 30/s and 300/min rejects, and how much of what is possible is used: our
 * limiter beside what people use instead, alone and in three processes that share their windows through a file or a
 * Redis. The kinds of windows side by side, who calls one after the other. `--quick` shrinks the windows.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import Bottleneck from 'bottleneck'
import { openFileLedger } from '../../src/pacing/file.js'
import type { WindowKind } from '../../src/sandbox/windows.js'
import type { RateWindow } from '../../src/settings/limits.js'
import { systemClock } from '../../src/system/clock.js'
import { hasRedis, startRedis } from '../system/server.js'
import {
  type Call,
  callPaced,
  calls,
  concurrency,
  floorMs,
  inFlight,
  openClient,
  startServer,
  windowKinds,
  windows,
} from './pacing-world.js'

/** For what is so slow that the run would take two minutes. */
const fewerCalls = 390
const state = mkdtempSync(join(tmpdir(), 'ada-bulk-bench-'))

/** Makes all calls, one way or another. */
type Contender = (call: Call, calls: number, name: string) => Promise<void>

const ours: Contender = async (call, calls, name) => {
  const ledger = await openFileLedger({ directory: state, instance: name, clock: systemClock })
  await callPaced(ledger, call, calls)
  await ledger.close()
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

const sum = (counts: ReadonlyMap<string, number>) => [...counts.values()].reduce((a, b) => a + b, 0)

type Server = Awaited<ReturnType<typeof startServer>>

function rowOf(limiter: string, kind: WindowKind, calls: number, wallMs: number, server: Server) {
  const parts = [...server.accepted().values()]
  return {
    limiter,
    server: kind,
    calls,
    rejected: sum(server.rejected()),
    'wall s': (wallMs / 1000).toFixed(2),
    'floor s': (floorMs(calls) / 1000).toFixed(2),
    ratio: (wallMs / floorMs(calls)).toFixed(3),
    'calls by process': parts.sort((a, b) => a - b).join(' '),
  }
}

async function alone(limiter: string, kind: WindowKind, contender: Contender, most = calls) {
  const server = await startServer(kind, most)
  const { call, close } = openClient(server.url, limiter)
  const startMs = performance.now()
  await contender(call, most, `${limiter}-${kind}`)
  const wallMs = performance.now() - startMs
  await close()
  server.close()
  return rowOf(limiter, kind, most, wallMs, server)
}

const processes = 3
const program = join(import.meta.dirname, 'pacing-process.js')

/** From the first arrival on: how long processes need to start is another matter. */
async function shared(limiter: string, kind: WindowKind, store: string) {
  const server = await startServer(kind, calls)
  const args = process.argv.slice(2)
  await Promise.all(
    Array.from({ length: processes }, async (_, number) => {
      const own = [server.url, `process ${number}`, `${limiter}-${kind}`, store]
      const child = spawn(process.execPath, [program, ...own, ...args], {
        stdio: ['ignore', 'inherit', 'inherit'],
      })
      const [code] = await once(child, 'exit')
      if (code !== 0) throw new Error(`A process of ${limiter} ended with ${code}`)
    }),
  )
  server.close()
  return rowOf(limiter, kind, calls, server.wallMs(), server)
}

const minutes = 2

/** A run at a share of 80 % for two long windows, while a chat calls in bursts, a fifth of the limit on average. */
async function besideChat(kind: WindowKind) {
  const server = await startServer(kind, Number.POSITIVE_INFINITY)
  const [, long] = windows as [RateWindow, RateWindow]
  const ledger = await openFileLedger({ directory: state, instance: `chat-${kind}`, clock: systemClock })
  const [run, chat] = [openClient(server.url, 'run'), openClient(server.url, 'chat')]
  const over = new AbortController()
  const burst = 5
  const chatting = (async () => {
    while (!over.signal.aborted) {
      await Promise.all(Array.from({ length: burst }, () => chat.call()))
      await delay((long.perMs / (long.max * 0.2)) * burst * 2 * Math.random())
    }
  })()
  const running = callPaced(ledger, run.call, Number.POSITIVE_INFINITY, 0.8, over)
  await delay(minutes * long.perMs)
  const ours = server.accepted().get('run') ?? 0
  over.abort()
  await Promise.all([chatting, running])
  await Promise.all([run.close(), chat.close(), ledger.close()])
  server.close()
  return {
    server: kind,
    'calls of the chat': server.accepted().get('chat'),
    'of which rejected': server.rejected().get('chat') ?? 0,
    'calls of the run': ours,
    'of which rejected ': server.rejected().get('run') ?? 0,
    'of its share': (ours / (minutes * long.max * 0.8)).toFixed(3),
  }
}

// Bottleneck does not keep the process alive while its reservoir is empty.
const alive = setInterval(() => {}, 1000)
const redis = hasRedis ? await startRedis() : null
// A ledger that begins on a Redis that has just started waits until nothing from before can count any more.
const isRedisReady = delay(35_000 + Math.max(...windows.map(({ perMs }) => perMs)))
const chats = Promise.all(windowKinds.map(besideChat))
const aloneRows = await Promise.all(
  windowKinds.flatMap((kind) => [
    alone('ada-bulk', kind, ours),
    alone('reservoirs', kind, reservoirs),
    alone('minTime', kind, minTime, fewerCalls),
  ]),
)
const byFile = await Promise.all(windowKinds.map((kind) => shared('ada-bulk ×3, file', kind, state)))
await isRedisReady
const byRedis = redis
  ? await Promise.all(windowKinds.map((kind) => shared('ada-bulk ×3, Redis', kind, redis.url)))
  : []
const rows = [...aloneRows, ...byFile, ...byRedis].sort((a, b) => a.limiter.localeCompare(b.limiter))
console.table(rows)
const chatRows = await chats
console.table(chatRows)
clearInterval(alive)
await redis?.stop()
rmSync(state, { recursive: true, force: true })
const isGood =
  rows.filter(({ limiter }) => limiter.startsWith('ada-bulk')).every((row) => row.rejected === 0) &&
  chatRows.every((row) => row['of which rejected'] === 0)
process.exit(isGood ? 0 : 3)
