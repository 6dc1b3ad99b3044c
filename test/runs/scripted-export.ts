import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import type { Api, ApiAnswer, Operation } from '../../src/job.js'
import { paced } from '../../src/operations/paced.js'
import type { RetryPolicy } from '../../src/operations/retry.js'
import { openLimiter } from '../../src/pacing/limiter.js'
import { openMemoryLedger } from '../../src/pacing/memory.js'
import { download, type ExportRequest } from '../../src/runs/export.js'
import { noQuota } from '../../src/settings/limits.js'
import type { Clock } from '../../src/system/clock.js'
import { Stop } from '../../src/system/stop.js'

export type Record = { _id: string; date_updated: string; [field: string]: unknown }

export const origin = 'https://acme.ada.support'
const startMs = Date.UTC(2026, 10, 1)

export const record = (nth: number, fields: object = {}): Record => ({
  _id: `66f0b7d24c19a3e85d7b${nth.toString(16).padStart(4, '0')}`,
  date_updated: `2026-09-${String(1 + (nth % 28)).padStart(2, '0')}T12:34:56.789000`,
  ...fields,
})

export const answer = (status: number, body?: unknown, retryAfterMs: number | null = null): ApiAnswer => ({
  kind: 'answer',
  status,
  body,
  quota: { ...noQuota, retryAfterMs },
  dateMs: null,
})
export const page = (data: unknown[], next: string | null) =>
  answer(200, { data, meta: { next_page_uri: next } })
export const refusal = (status: number, message: string) =>
  answer(status, { errors: [{ type: 'error', message, details: null }] })

/** Waiting takes no time. */
export function hastyClock(): Clock & { nowMs: number } {
  const clock = {
    nowMs: 0,
    wallMs: () => startMs + clock.nowMs,
    monotonicMs: () => 1_000_000 + clock.nowMs,
    async sleep(ms: number, signal?: AbortSignal) {
      signal?.throwIfAborted()
      clock.nowMs += ms
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
  return clock
}

export interface Scene {
  directory: string
  output: string
  /** What was asked for, in order. */
  asked: string[]
  clock: ReturnType<typeof hastyClock>
  /** Downloads, with the API answering as the test says. */
  run(
    answers: (path: string, nth: number) => ApiAnswer,
    options?: Partial<ExportRequest & Pick<RetryPolicy, 'attemptsMax'> & { origin: string; stop: Stop }>,
  ): ReturnType<typeof download>
  /** The lines of the file. */
  records(): Record[]
}

export function scene(): Scene {
  const directory = mkdtempSync(join(tmpdir(), 'ada-bulk-download-'))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const clock = hastyClock()
  const asked: string[] = []
  const output = join(directory, 'export.jsonl.gz')
  return {
    directory,
    output,
    asked,
    clock,
    async run(answers, options = {}) {
      const api: Api = {
        async call({ path, signal }) {
          signal.throwIfAborted()
          asked.push(path)
          return answers(path, asked.length)
        },
      }
      const limiter = openLimiter({
        ledger: openMemoryLedger(clock),
        limits: 'none',
        caps: [],
        share: 1,
        concurrency: 1,
        holdMs: 31_000,
        clock,
        random: () => 0.5,
      })
      try {
        const { stop = new Stop() } = options
        const request = {
          span: { by: 'updated', fromMs: startMs - 30 * 86_400_000, toMs: startMs },
          asked: '30d',
          output,
          pageSize: 1000,
          ...options,
        } as const
        const policy = {
          attemptsMax: 5,
          clock,
          random: () => 0.5,
          stopSignal: stop.signal,
          abortSignal: stop.abortSignal,
          ...options,
        }
        const session = { api, pace: (operation: Operation) => paced(operation, limiter) }
        return await download(request, options.origin ?? origin, session, policy)
      } finally {
        await limiter.close()
      }
    },
    records() {
      const text = gunzipSync(readFileSync(output)).toString()
      return text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line))
    },
  }
}

/** An Ada that serves these pages of a query, each under a cursor of its own. */
export function serving(pages: readonly unknown[][]): (path: string) => ApiAnswer {
  return (path) => {
    const index = Number(new URL(path, origin).searchParams.get('cursor') ?? 0)
    const next = index + 1 < pages.length ? `${path.split('?')[0]}?cursor=${index + 1}` : null
    return page([...pages[index]!], next)
  }
}
