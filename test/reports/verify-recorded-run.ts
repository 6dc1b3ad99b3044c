import { hash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect } from 'vitest'
import { runDirectory } from '../../src/checkpoint/directory.js'
import { firstHead } from '../../src/checkpoint/log.js'
import { defineJob } from '../../src/job.js'
import { endConversation } from '../../src/operations/end-conversation.js'
import { csvReport } from '../../src/reports/csv.js'
import { jsonLinesReport } from '../../src/reports/json-lines.js'
import { type Verification, type VerifyOptions, verifyRun } from '../../src/reports/verify.js'
import type { CheckName } from '../../src/reports/verify-check.js'
import { type RunJobOptions, runJob } from '../../src/runs/run-job.js'

/** A real run, which tests do bad things to. */
export interface Recorded {
  /** Where the run's files lie. */
  directory: string
  /** Input and hold list, which lie elsewhere. */
  input: string
  hold: string
  verify(options?: Partial<VerifyOptions>): Promise<Verification>
  /** Verifies while a file of the run has another content; null: while it is not there. */
  verifyWith(path: string, edit: (text: string) => string | null): Promise<Verification>
  /** The lines of the checkpoint, line ends included. */
  lines(): string[]
}

const conversation = (number: number) => `66f2a91c4be07d3f5c1e${String(number).padStart(4, '0')}`
export const ids = Array.from({ length: 6 }, (_, number) => conversation(number))
export const heldId = conversation(90)

/** Six conversations of which one does not exist and one is on hold, with a duplicate and a row without an ID. */
const table = [ids[0], ids[1], heldId, ids[2], ids[1], '""', ids[3], ids[4], ids[5]]

const key = 'k3y-0f-a-test'
const base = mkdtempSync(join(tmpdir(), 'ada-bulk-verify-'))
const server = createServer((request, response) => {
  request.resume()
  const isThere = request.url?.includes(ids[4]!) === false
  response
    .writeHead(isThere ? 200 : 404, { 'content-type': 'application/json' })
    .end(isThere ? '{}' : '{"errors":[{"message":"Conversation was not found"}]}')
})
const listening = new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
afterAll(() => {
  server.closeAllConnections()
  server.close()
  rmSync(base, { recursive: true })
})

let runs = 0

/** Runs the list until its end, or as the options say. */
export async function recordRun(options: Partial<RunJobOptions> = {}): Promise<Recorded> {
  await listening
  const place = join(base, String(++runs))
  mkdirSync(place)
  const input = join(place, 'stale.csv')
  const hold = join(place, 'hold.csv')
  writeFileSync(input, `conversation_id\n${table.join('\n')}\n`)
  writeFileSync(hold, `conversation_id\n${heldId}\n`)
  const directory = join(place, 'night')
  await runJob({
    job: defineJob({ describe: 'Ends a list.', operation: endConversation }),
    name: 'end-list',
    input: [input],
    hold: [hold],
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    key,
    directory,
    stateDirectory: join(place, 'state'),
    settings: { limits: 'none', concurrency: 2 },
    ...options,
  })
  return recorded(directory, input, hold)
}

/** The same run in a directory of its own. */
export function copyOf({ directory, input, hold }: Recorded): Recorded {
  const place = join(base, String(++runs))
  cpSync(directory, join(place, 'night'), { recursive: true })
  return recorded(join(place, 'night'), input, hold)
}

function recorded(directory: string, input: string, hold: string): Recorded {
  const verify = async (options: Partial<VerifyOptions> = {}) => {
    const reports = [csvReport, jsonLinesReport]
    return (await verifyRun(runDirectory(directory), { reports, idRules: {}, ...options })).verification
  }
  return {
    directory,
    input,
    hold,
    verify,
    async verifyWith(path, edit) {
      const before = readFileSync(path, 'utf8')
      const after = edit(before)
      if (after === null) rmSync(path)
      else writeFileSync(path, after)
      try {
        return await verify()
      } finally {
        writeFileSync(path, before)
      }
    },
    lines: () => readFileSync(join(directory, 'checkpoint.jsonl'), 'utf8').split(/(?<=\n)/),
  }
}

/** The checks that found something, with what they found. */
export function wrongs({ checks, isRight }: Verification): Partial<Record<CheckName, string>> {
  const found = Object.fromEntries(
    checks.filter((check) => check.isRight === false).map(({ name, finding }) => [name, finding]),
  )
  expect(isRight).toBe(Object.keys(found).length === 0)
  return found
}

/** Lines with a new chain, as somebody makes it who knows how. */
export function rechained(lines: readonly string[]): string {
  let prev = firstHead
  return lines
    .map((line) => {
      const again = line.replace(/,"prev":"[^"]*"\}\n$/, `,"prev":"${prev}"}\n`)
      prev = hash('sha256', again)
      return again
    })
    .join('')
}

/** A run that came to its end, for the tests of a file. */
export let run: Recorded
export let lines: string[]
export let checkpoint: string
export let summary: string
export let report: string
beforeAll(async () => {
  run = await recordRun()
  lines = run.lines()
  checkpoint = join(run.directory, 'checkpoint.jsonl')
  summary = join(run.directory, 'summary.json')
  report = join(run.directory, 'report.csv')
})

export const settings = { format: 'auto', idColumn: null, acceptTruncated: false }

/** The number of the line that a finding names first. */
export const named = (finding = '') => Number(/line (\d+)/.exec(finding)?.[1] ?? 0)
